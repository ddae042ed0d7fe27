"""Opens alignments and hands numpy arrays of candidate events and their evidence to Python."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cdef extern from "htslib/hts.h" nogil:
    ctypedef struct htsFile:
        pass
    ctypedef struct hts_idx_t:
        pass
    ctypedef struct hts_itr_t:
        pass
    int hts_set_fai_filename(htsFile *file, const char *path)
    void hts_idx_destroy(hts_idx_t *index)
    void hts_itr_destroy(hts_itr_t *iterator)

cdef extern from "htslib/sam.h" nogil:
    ctypedef struct sam_hdr_t:
        pass
    ctypedef struct bam1_t:
        pass
    htsFile *sam_open(const char *path, const char *mode)
    int sam_close(htsFile *file)
    sam_hdr_t *sam_hdr_read(htsFile *file)
    void sam_hdr_destroy(sam_hdr_t *header)
    int sam_hdr_name2tid(sam_hdr_t *header, const char *name)
    hts_idx_t *sam_index_load(htsFile *file, const char *path)
    hts_itr_t *sam_itr_queryi(const hts_idx_t *index, int contig, int64_t start, int64_t end)
    int sam_itr_next(htsFile *file, hts_itr_t *iterator, bam1_t *record)
    bam1_t *bam_init1()
    void bam_destroy1(bam1_t *record)

cdef extern from "evidence.h" nogil:
    enum:
        N_FEATURES
        READ_CHANNEL_COUNT "READ_CHANNELS"
        READ_MARGIN "MARGIN"
    ctypedef struct Options:
        int32_t minimum_mapping_quality, minimum_base_quality, missing_base_quality, maximum_depth, realign, assemble, details, kept
    ctypedef struct Read:
        int32_t position, end, length, cigar, n_cigar, left_clip, right_clip
        int64_t sequence
        uint64_t name
        uint8_t mapping_quality, reverse, proper, low
    ctypedef struct Reads:
        Read *reads
        uint8_t *bases
        uint8_t *qualities
        uint32_t *cigars
        int32_t n_reads, last_start
        int64_t without_qualities
    ctypedef struct Event:
        int32_t position, reference_length, alternate_length, alternate, right, kind, first_support, support, assembled, given
    ctypedef struct Assembled:
        int32_t first, n, start "from", end "to", reads
    ctypedef struct TurnedDown:
        int32_t position, kind, length, alternate, reads, reads_needed, depth
        float score, needed
    ctypedef struct Trace:
        int32_t from_ "from"
        int32_t to, span_from, span_to, realigned, n_events, n_reads, n_haplotypes, event
        Event *events
        uint32_t *carried
        int32_t *lengths
        uint8_t *bases
        int32_t *reads
        int32_t *costs
    ctypedef struct Evidence:
        int32_t start, end
        const uint8_t *reference
        int32_t *depth
        int32_t *low_depth
        int32_t *disagreeing
        Event *events
        int32_t n_events
        Event *given
        int32_t n_given
        uint8_t *alleles
        int32_t n_alleles
        float *features
        float *likelihoods
        int32_t *counts
        uint8_t *read_rows
        Assembled *assembled
        int32_t n_assembled
        Event *parts
        TurnedDown *turned_down
        int32_t n_turned_down
        int32_t *row_reads
        Trace *traces
    int reads_add(Reads *reads, const bam1_t *record, const Options *options)
    int reads_finish(Reads *reads, int32_t start, int32_t end, const Options *options, int sort)
    void reads_free(Reads *reads)
    int evidence_candidates(Evidence *evidence, Reads *reads, const Options *options)
    int evidence_score(Evidence *evidence, const Reads *reads, const Options *options, int32_t rows)
    int given_add(Evidence *evidence, int32_t position, int32_t kind, int32_t length, const uint8_t *bases)
    int given_score(Evidence *evidence, const Reads *reads, const Options *options, int32_t rows)
    void evidence_free(Evidence *evidence)
    int c_one_gap_cost "one_gap_cost"(const uint8_t *bases, const uint8_t *costs, int length, const uint8_t *haplotype,
                                      int haplotype_length, int before, int after, const uint8_t *gap_open, int32_t *work)
    void c_mismatch_costs "mismatch_costs"(const uint8_t *qualities, int length, uint8_t *costs)
    void c_gap_open_penalties "gap_open_penalties"(const uint8_t *haplotype, int length, uint8_t *penalties)

MARGIN = READ_MARGIN
READ_CHANNELS = READ_CHANNEL_COUNT
FEATURES = (
    "likelihood_0_copies", "likelihood_1_copy", "likelihood_2_copies",
    "reads_for", "reads_reference", "reads_other_allele", "reads_unsure", "fraction_for",
    "forward_for", "forward_reference", "strand_bias",
    "evidence_for_mean", "evidence_for_most", "evidence_reference_mean",
    "quality_for_mean", "quality_for_most", "quality_reference_mean",
    "mapping_for", "mapping_reference", "low_mapping_fraction",
    "end_distance_for", "end_distance_reference", "end_distance_for_most",
    "mismatches_for", "mismatches_reference", "clipped_for", "clipped_reference", "proper_for", "starts_for",
    "is_snv", "is_insertion", "is_deletion", "length",
    "homopolymer", "repeat_unit", "repeat_length", "whole_units", "shift_span", "gap_open",
    "depth", "depth_relative", "events_within_20", "events_within_100", "nearest_event", "support_same_place",
    "haplotypes", "misfit_fraction", "support_in_alignments", "noise", "read_length", "quality_mean",
    "is_transition", "gc", "evidence_for_sum", "is_realigned", "depth_around",
    "is_assembled",
)
assert len(FEATURES) == N_FEATURES
CHANNELS = (
    "present", "evidence", "base_quality", "mapping_quality", "reverse_strand", "end_distance", "mismatches", "clipped",
    "proper_pair", "length",
)
assert len(CHANNELS) == READ_CHANNEL_COUNT

CODES = np.full(256, 4, dtype=np.uint8)
for code, base in enumerate("ACGT"):
    CODES[ord(base)] = CODES[ord(base.lower())] = code


def encode(bases):
    """Text of bases to codes: A, C, G, T are 0..3, all else (N, IUPAC) 4. Returns uint8 [length]."""
    return CODES[np.frombuffer(bases.encode() if isinstance(bases, str) else bases, dtype=np.uint8)]


def mismatch_costs(qualities):
    """Phred cost of a mismatch at each base of a read, from its qualities (uint8)."""
    cdef uint8_t[::1] given = np.ascontiguousarray(qualities, dtype=np.uint8)
    result = np.zeros(len(qualities), dtype=np.uint8)
    cdef uint8_t[::1] out = result
    if len(qualities):
        c_mismatch_costs(&given[0], len(qualities), &out[0])
    return result


def gap_open_penalties(haplotype):
    """Phred penalty of opening a gap at each base of `haplotype` (uint8 codes)."""
    cdef uint8_t[::1] bases = np.ascontiguousarray(haplotype, dtype=np.uint8)
    result = np.zeros(len(haplotype), dtype=np.uint8)
    cdef uint8_t[::1] out = result
    if len(haplotype):
        c_gap_open_penalties(&bases[0], len(haplotype), &out[0])
    return result


def one_gap_cost(bases, costs, haplotype, int before, int after):
    """Phred cost of the best alignment of a read that lies on diagonal `before` up to one gap and on `after` beyond it."""
    cdef uint8_t[::1] b = np.ascontiguousarray(bases, dtype=np.uint8)
    cdef uint8_t[::1] c = np.ascontiguousarray(costs, dtype=np.uint8)
    cdef uint8_t[::1] h = np.ascontiguousarray(haplotype, dtype=np.uint8)
    cdef uint8_t[::1] g = gap_open_penalties(haplotype)
    cdef int32_t[::1] work = np.zeros(2 * len(bases) + 4, dtype=np.int32)
    return c_one_gap_cost(&b[0], &c[0], len(bases), &h[0], len(haplotype), before, after, &g[0], &work[0])


cdef class Alignments:
    """One sample's indexed BAM or CRAM files, read together.

    reference: the FASTA, needed for CRAM. Raises OSError, with the path, for a file that cannot be read.
    """

    cdef list paths
    cdef htsFile **files
    cdef sam_hdr_t **headers
    cdef hts_idx_t **indices
    cdef int n

    def __cinit__(self, paths, reference):
        self.paths = [str(path) for path in paths]
        self.n = len(self.paths)
        self.files = <htsFile **>malloc(self.n * sizeof(void *))
        self.headers = <sam_hdr_t **>malloc(self.n * sizeof(void *))
        self.indices = <hts_idx_t **>malloc(self.n * sizeof(void *))
        memset(self.files, 0, self.n * sizeof(void *))
        memset(self.headers, 0, self.n * sizeof(void *))
        memset(self.indices, 0, self.n * sizeof(void *))
        for i, path in enumerate(self.paths):
            name = path.encode()
            self.files[i] = sam_open(name, b"r")
            if self.files[i] == NULL:
                raise OSError(f"{path}: cannot be opened")
            if hts_set_fai_filename(self.files[i], str(reference).encode()) != 0:
                raise OSError(f"{reference}: no FASTA index")
            self.headers[i] = sam_hdr_read(self.files[i])
            if self.headers[i] == NULL:
                raise OSError(f"{path}: no header can be read")
            self.indices[i] = sam_index_load(self.files[i], name)
            if self.indices[i] == NULL:
                raise OSError(f"{path}: no index; make one with samtools index")

    def __dealloc__(self):
        for i in range(self.n):
            if self.indices[i] != NULL:
                hts_idx_destroy(self.indices[i])
            if self.headers[i] != NULL:
                sam_hdr_destroy(self.headers[i])
            if self.files[i] != NULL:
                sam_close(self.files[i])
        free(self.files)
        free(self.headers)
        free(self.indices)

    def evidence(self, str contig, int start, int end, bytes sequence, *, bint realign=True, bint assemble=True, int rows=0,
                 int minimum_mapping_quality=5, int minimum_base_quality=10, int missing_base_quality=20,
                 int maximum_depth=1000, double fraction=1.0, given=(), bint details=False):
        """Candidate events with evidence, and depth, of contig:start-end (0-based, half-open).

        sequence: the reference from max(0, start - MARGIN) to end + MARGIN or the contig's end.
        rows: reads per event to give to a read-level network; 0: none. fraction: share of the molecules to use.
        given: events to score whatever the reads show, each (position, reference_length, alternate text), left-aligned;
        those whose record starts in the interval count. They change nothing about other events.
        details: True to get also what explains the events (below); meant for short intervals.
        Returns a dict of arrays. Per event (n of them, sorted by record position): record (0-based start of the VCF
        record: the base itself for an SNV, the base before for an indel), position, kind (0 SNV, 1 insertion, 2 deletion),
        reference_length, alternate_length, alternate (the base code, or the offset in `alleles`), support, given (0: a candidate,
        1: a candidate that was given, 2: given and no candidate), features
        [n, FEATURES], likelihoods [n, 3] (phred, of 0, 1, 2 copies), counts [n, 3] (reads for the reference, for the
        event, for neither), read_rows [n, rows, READ_CHANNELS] uint8 or None. Per position of the interval: depth,
        low_depth (reads of low mapping quality), disagreeing (bases that are not the reference's). `alleles`: base codes.
        With details: used_reads (a list of dicts: the reads as they are used, realigned, mates joined), row_reads [n, rows]
        (index of the read behind each row, -1 where there is none), assembled (haplotypes: start, end, number of reads
        that show all of it, list of (position, reference_length, bases put in)), traces (per event, the window in which it was
        judged) and turned_down (differences that did not become events, with the numbers that decided).
        """
        cdef Options options
        cdef Reads reads
        cdef Evidence evidence
        cdef bam1_t *record
        cdef hts_itr_t *iterator
        cdef int i, status = 0, tid, code = 0
        cdef int32_t read_start = max(0, start - READ_MARGIN)
        codes = encode(sequence)
        cdef uint8_t[::1] reference = codes
        memset(&options, 0, sizeof(options))
        options.minimum_mapping_quality = minimum_mapping_quality
        options.minimum_base_quality = minimum_base_quality
        options.missing_base_quality = missing_base_quality
        options.maximum_depth = maximum_depth
        options.realign = realign
        options.assemble = assemble
        options.details = details
        options.kept = round(fraction * 65536)
        memset(&reads, 0, sizeof(reads))
        memset(&evidence, 0, sizeof(evidence))
        evidence.start = read_start
        evidence.end = read_start + len(sequence)
        if evidence.end < end:
            raise ValueError("the reference ends before the interval")
        evidence.reference = &reference[0]
        record = bam_init1()
        try:
            for i in range(self.n):
                tid = sam_hdr_name2tid(self.headers[i], contig.encode())
                if tid < 0:
                    raise OSError(f"{self.paths[i]}: no contig {contig}")
                iterator = sam_itr_queryi(self.indices[i], tid, evidence.start, evidence.end)
                if iterator == NULL:
                    raise OSError(f"{self.paths[i]}: {contig}:{start + 1}-{end} cannot be read")
                reads.last_start = -1
                with nogil:
                    while True:
                        code = sam_itr_next(self.files[i], iterator, record)
                        if code < 0:
                            break
                        status = reads_add(&reads, record, &options)
                        if status != 0:
                            break
                hts_itr_destroy(iterator)
                if status != 0:
                    raise MemoryError
                if code < -1:
                    raise OSError(f"{self.paths[i]}: damaged or cut off in {contig}:{evidence.start + 1}-{evidence.end}")
            if reads_finish(&reads, evidence.start, evidence.end, &options, self.n > 1) != 0:
                raise MemoryError
            for position, reference_length, alternate in given:
                add_given(&evidence, position, reference_length, alternate)
            if evidence_candidates(&evidence, &reads, &options) != 0:
                raise MemoryError
            if evidence_score(&evidence, &reads, &options, rows) != 0:
                raise MemoryError
            if given_score(&evidence, &reads, &options, rows) != 0:
                raise MemoryError
            return self.arrays(&evidence, &reads, start, end, rows)
        finally:
            bam_destroy1(record)
            reads_free(&reads)
            evidence_free(&evidence)

    cdef dict arrays(self, Evidence *evidence, Reads *reads, int start, int end, int rows):
        cdef int n = evidence.n_events + evidence.n_given
        cdef int offset = start - evidence.start
        table = np.zeros((n, 8), dtype=np.int32)
        cdef int32_t[:, ::1] cells = table
        cdef Event *event
        cdef int i
        for i in range(n):
            event = &evidence.events[i] if i < evidence.n_events else &evidence.given[i - evidence.n_events]
            cells[i, 0] = event.position
            cells[i, 1] = event.kind
            cells[i, 2] = event.reference_length
            cells[i, 3] = event.alternate_length
            cells[i, 4] = event.alternate
            cells[i, 5] = event.support
            cells[i, 6] = event.position - (event.kind != 0)
            cells[i, 7] = event.given + (i >= evidence.n_events)
        record = table[:, 6]
        inside = np.flatnonzero((record >= start) & (record < end))
        inside = inside[np.argsort(record[inside], kind="stable")]
        columns = table[inside]
        result = {
            "record": columns[:, 6], "position": columns[:, 0], "kind": columns[:, 1], "reference_length": columns[:, 2],
            "alternate_length": columns[:, 3], "alternate": columns[:, 4], "support": columns[:, 5],
            "given": columns[:, 7],
            "features": floats(evidence.features, n, N_FEATURES)[inside],
            "likelihoods": floats(evidence.likelihoods, n, 3)[inside],
            "counts": integers(evidence.counts, n * 3).reshape(n, 3)[inside],
            "read_rows": octets(evidence.read_rows, <int64_t>n * rows * READ_CHANNEL_COUNT)
                .reshape(n, rows, READ_CHANNEL_COUNT)[inside] if rows else None,
            "depth": integers(evidence.depth + offset, end - start),
            "low_depth": integers(evidence.low_depth + offset, end - start),
            "disagreeing": integers(evidence.disagreeing + offset, end - start),
            "alleles": octets(evidence.alleles, evidence.n_alleles),
            "reads": reads.n_reads, "reads_without_qualities": reads.without_qualities,
        }
        if evidence.traces != NULL:
            result["assembled"] = assembled_haplotypes(evidence, start, end)
            result["used_reads"] = used_reads(reads)
            result["row_reads"] = integers(evidence.row_reads, <int64_t>n * rows).reshape(n, rows)[inside]
            result["traces"] = [trace_of(&evidence.traces[i]) for i in inside]
            result["turned_down"] = turned_down(evidence)
        return result


cdef list used_reads(Reads *reads):
    cdef Read *read
    cdef int i
    result = []
    for i in range(reads.n_reads):
        read = &reads.reads[i]
        result.append({
            "name": read.name, "position": read.position, "end": read.end, "left_clip": read.left_clip,
            "right_clip": read.right_clip, "mapping_quality": read.mapping_quality, "reverse": bool(read.reverse),
            "proper": bool(read.proper), "low": bool(read.low),
            "bases": octets(reads.bases + read.sequence, read.length),
            "qualities": octets(reads.qualities + read.sequence, read.length),
            "cigar": [(reads.cigars[read.cigar + k] & 15, reads.cigars[read.cigar + k] >> 4) for k in range(read.n_cigar)],
        })
    return result


cdef dict trace_of(Trace *trace):
    cdef int k, h
    cdef int64_t total = 0
    events = [
        (trace.events[k].position, trace.events[k].kind, trace.events[k].reference_length, trace.events[k].alternate_length,
         trace.events[k].alternate) for k in range(trace.n_events)
    ]
    haplotypes = []
    for h in range(trace.n_haplotypes):
        haplotypes.append(octets(trace.bases + total, trace.lengths[h]))
        total += trace.lengths[h]
    return {
        "start": trace.from_, "end": trace.to, "span": (trace.span_from, trace.span_to), "realigned": bool(trace.realigned),
        "events": events, "event": trace.event, "carried": [trace.carried[h] for h in range(trace.n_haplotypes)],
        "haplotypes": haplotypes, "reads": integers(trace.reads, trace.n_reads),
        "costs": integers(trace.costs, <int64_t>trace.n_reads * trace.n_haplotypes).reshape(trace.n_reads, trace.n_haplotypes),
    }


cdef list turned_down(Evidence *evidence):
    cdef TurnedDown *one
    cdef int i
    result = []
    for i in range(evidence.n_turned_down):
        one = &evidence.turned_down[i]
        result.append({
            "position": one.position, "kind": one.kind, "length": one.length, "alternate": one.alternate, "reads": one.reads,
            "reads_needed": one.reads_needed, "depth": one.depth, "score": one.score, "needed": one.needed,
        })
    return result


cdef int add_given(Evidence *evidence, int position, int reference_length, str alternate) except -1:
    cdef int kind = 2 if not alternate else 1 if reference_length == 0 else 0
    codes = encode(alternate or "N")
    cdef uint8_t[::1] bases = codes
    if given_add(evidence, position, kind, reference_length if kind == 2 else len(alternate), &bases[0]) != 0:
        raise MemoryError
    return 0


cdef list assembled_haplotypes(Evidence *evidence, int start, int end):
    """The assembled haplotypes that touch start-end: (start, end, reads that show all of it, events), where an event
    is (position, reference_length, bases put in)."""
    cdef int i, p
    cdef Event *part
    found = []
    for i in range(evidence.n_assembled):
        if evidence.assembled[i].end <= start or evidence.assembled[i].start >= end:
            continue
        events = []
        for p in range(evidence.assembled[i].first, evidence.assembled[i].first + evidence.assembled[i].n):
            part = &evidence.parts[p]
            text = "ACGT"[part.alternate] if part.kind == 0 else "".join(
                ["ACGT"[evidence.alleles[part.alternate + k]] for k in range(part.alternate_length)])
            events.append((part.position, part.reference_length, text))
        found.append((evidence.assembled[i].start, evidence.assembled[i].end, evidence.assembled[i].reads, events))
    return found


cdef object floats(const float *values, int64_t n, int width):
    result = np.zeros((n, width), dtype=np.float32)
    cdef float[:, ::1] out = result
    if n:
        memcpy(&out[0, 0], values, n * width * sizeof(float))
    return result


cdef object integers(const int32_t *values, int64_t n):
    result = np.zeros(n, dtype=np.int32)
    cdef int32_t[::1] out = result
    if n:
        memcpy(&out[0], values, n * sizeof(int32_t))
    return result


cdef object octets(const uint8_t *values, int64_t n):
    result = np.zeros(n, dtype=np.uint8)
    cdef uint8_t[::1] out = result
    if n:
        memcpy(&out[0], values, n)
    return result
