/* Unpacks reads, joins what two mates say about one molecule, and caps the depth. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STARTS 400 /* reads that may start at one position; more are the same amplicon again */
/* What the networks learned from ends here; aligners that say 70, 250 or 255 (unknown) and consensus reads of Q90 mean no more. */
#define MOST_MAPPING_QUALITY 60
#define MOST_BASE_QUALITY 45

int make_room(void **array, int64_t needed, void *room, int room_is_64, size_t size)
{
    int64_t have = room_is_64 ? *(int64_t *)room : *(int32_t *)room;
    if (needed <= have) return 0;
    int64_t wanted = have ? have : 1024;
    while (wanted < needed) wanted += wanted / 2;
    void *grown = realloc(*array, (size_t)wanted * size);
    if (!grown) return -1;
    *array = grown;
    if (room_is_64) *(int64_t *)room = wanted;
    else *(int32_t *)room = (int32_t)wanted;
    return 0;
}

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 1469598103934665603ULL;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 1099511628211ULL;
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15ULL;
    return hash ^ (hash >> 29);
}

/* Codes of the 4-bit bases of BAM: =ACMGRSVTWYHKDBN. */
static const uint8_t CODES[16] = {4, 0, 1, 4, 2, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 4};

int reads_add(Reads *reads, const bam1_t *record, const Options *options)
{
    const bam1_core_t *core = &record->core;
    if (core->flag & (BAM_FUNMAP | BAM_FSECONDARY | BAM_FQCFAIL | BAM_FDUP | BAM_FSUPPLEMENTARY)) return 0;
    if (core->n_cigar == 0 || core->l_qseq == 0) return 0;
    uint64_t name = hash_name(bam_get_qname(record));
    if ((int32_t)(name >> 8 & 0xffff) >= options->kept) return 0;
    if ((int32_t)core->pos == reads->last_start) {
        if (++reads->same_start > MOST_STARTS) return 0;
    } else {
        reads->last_start = (int32_t)core->pos;
        reads->same_start = 1;
    }
    int length = core->l_qseq;
    if (make_room((void **)&reads->reads, reads->n_reads + 1, &reads->reads_room, 0, sizeof(Read))) return -1;
    int64_t room = reads->bases_room;
    if (make_room((void **)&reads->bases, reads->n_bases + length, &room, 1, 1)) return -1;
    if (make_room((void **)&reads->qualities, reads->n_bases + length, &reads->bases_room, 1, 1)) return -1;
    if (make_room((void **)&reads->cigars, reads->n_cigars + core->n_cigar, &reads->cigars_room, 1, sizeof(uint32_t))) return -1;

    Read *read = &reads->reads[reads->n_reads];
    memset(read, 0, sizeof(Read));
    read->position = (int32_t)core->pos;
    read->length = length;
    read->sequence = reads->n_bases;
    read->cigar = (int32_t)reads->n_cigars;
    read->mapping_quality = core->qual > MOST_MAPPING_QUALITY ? MOST_MAPPING_QUALITY : core->qual;
    read->low = core->qual < options->minimum_mapping_quality;
    read->reverse = (core->flag & BAM_FREVERSE) != 0;
    read->proper = (core->flag & BAM_FPAIRED) == 0 || (core->flag & BAM_FPROPER_PAIR) != 0;
    read->name = name;

    uint8_t *bases = reads->bases + reads->n_bases, *qualities = reads->qualities + reads->n_bases;
    const uint8_t *packed = bam_get_seq(record), *quality = bam_get_qual(record);
    for (int i = 0; i < length; i++) bases[i] = CODES[bam_seqi(packed, i)];
    if (quality[0] == 0xff) {
        memset(qualities, options->missing_base_quality, length);
        reads->without_qualities++;
    } else {
        for (int i = 0; i < length; i++) qualities[i] = quality[i] > MOST_BASE_QUALITY ? MOST_BASE_QUALITY : quality[i];
    }
    for (int i = 0; i < length; i++)
        if (bases[i] > 3) qualities[i] = 0;

    const uint32_t *cigar = bam_get_cigar(record);
    int32_t at = read->position;
    int used = 0, n = core->n_cigar, seen = 0;
    for (int k = 0; k < n; k++) {
        int op = bam_cigar_op(cigar[k]), size = bam_cigar_oplen(cigar[k]);
        if (op == BAM_CHARD_CLIP || op == BAM_CPAD || size == 0) continue;
        /* an insertion before the first or after the last aligned base is a clip by another name */
        if (op == BAM_CSOFT_CLIP || (op == BAM_CINS && !seen)) {
            if (!seen) read->left_clip += size;
            else read->right_clip += size;
            continue;
        }
        if (op == BAM_CMATCH || op == BAM_CEQUAL || op == BAM_CDIFF) {
            op = BAM_CMATCH;
            seen = 1;
        }
        if (op == BAM_CDEL || op == BAM_CREF_SKIP || op == BAM_CMATCH) at += size;
        uint32_t *last = used ? &reads->cigars[reads->n_cigars + used - 1] : NULL;
        if (last && bam_cigar_op(*last) == op) *last += (uint32_t)size << BAM_CIGAR_SHIFT;
        else reads->cigars[reads->n_cigars + used++] = (uint32_t)size << BAM_CIGAR_SHIFT | op;
    }
    while (used) { /* likewise at the right end */
        uint32_t last = reads->cigars[reads->n_cigars + used - 1];
        if (bam_cigar_op(last) == BAM_CINS) read->right_clip += bam_cigar_oplen(last);
        else if (bam_cigar_op(last) == BAM_CDEL || bam_cigar_op(last) == BAM_CREF_SKIP) at -= bam_cigar_oplen(last);
        else break;
        used--;
    }
    if (!used) return 0;
    read->n_cigar = used;
    read->end = at;
    int32_t span = read->end - read->position + read->left_clip + read->right_clip;
    if (span > MARGIN) return 0; /* reaches farther than shards look: its place would depend on them */
    if (span > reads->longest_span) reads->longest_span = span;
    reads->n_bases += length;
    reads->n_cigars += used;
    reads->n_reads++;
    return 0;
}

static int by_position(const void *a, const void *b)
{
    const Read *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    return x->sequence < y->sequence ? -1 : 1; /* order of reading: first file first */
}

/* Where the bases of a read lie: calls for each aligned block in turn. */
typedef struct {
    int32_t reference, query, length;
} Block;

static int blocks_of(const Reads *reads, const Read *read, Block *blocks, int most)
{
    int32_t at = read->position, query = read->left_clip;
    int n = 0;
    for (int k = 0; k < read->n_cigar && n < most; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item), size = bam_cigar_oplen(item);
        if (op == BAM_CMATCH) {
            blocks[n++] = (Block){at, query, size};
            at += size;
            query += size;
        } else if (op == BAM_CINS) {
            query += size;
        } else {
            at += size;
        }
    }
    return n;
}

#define MOST_BLOCKS 64

/* Lets `speaker` speak for both mates where they overlap: equal bases add up, of two different ones the better stays
 * with the difference of the qualities, up to `until`; from there on only the speaker's count. The other mate's bases in
 * the overlap get quality 0. */
static void join_mates(Reads *reads, Read *speaker, Read *silent, int32_t until)
{
    Block a[MOST_BLOCKS], b[MOST_BLOCKS];
    int na = blocks_of(reads, speaker, a, MOST_BLOCKS), nb = blocks_of(reads, silent, b, MOST_BLOCKS);
    uint8_t *bases_a = reads->bases + speaker->sequence, *bases_b = reads->bases + silent->sequence;
    uint8_t *qualities_a = reads->qualities + speaker->sequence, *qualities_b = reads->qualities + silent->sequence;
    int32_t from = -1, to = -1;
    for (int i = 0, j = 0; i < na && j < nb;) {
        int32_t begin = a[i].reference > b[j].reference ? a[i].reference : b[j].reference;
        int32_t end_a = a[i].reference + a[i].length, end_b = b[j].reference + b[j].length;
        int32_t end = end_a < end_b ? end_a : end_b;
        for (int32_t p = begin; p < end; p++) {
            int32_t qa = a[i].query + p - a[i].reference, qb = b[j].query + p - b[j].reference;
            if (from < 0) from = qb;
            to = qb;
            if (p >= until) continue;
            int x = qualities_a[qa], y = qualities_b[qb];
            if (bases_a[qa] == bases_b[qb]) {
                qualities_a[qa] = (uint8_t)(x + y > MOST_BASE_QUALITY ? MOST_BASE_QUALITY : x + y);
            } else if (x >= y) {
                qualities_a[qa] = (uint8_t)(x - y);
            } else {
                bases_a[qa] = bases_b[qb];
                qualities_a[qa] = (uint8_t)(y - x);
            }
        }
        if (end_a <= end_b) i++;
        else j++;
    }
    if (from < 0) return;
    memset(qualities_b + from, 0, (size_t)(to - from + 1));
    /* what lies beyond the overlap in a clip of the silent mate was read from the same molecule too */
    if (from == silent->left_clip) memset(qualities_b, 0, (size_t)from);
    if (to == silent->length - silent->right_clip - 1) memset(qualities_b + to, 0, (size_t)(silent->length - to));
}

#define NEAR_END 32 /* an aligner extends a read over an indel this close to its end rather than opening a gap */

/* Where in [from, to) a read has its first insertion or deletion; -1: nowhere. */
static int32_t gap_in(const Reads *reads, const Read *read, int32_t from, int32_t to)
{
    int32_t at = read->position;
    for (int k = 0; k < read->n_cigar; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item);
        if ((op == BAM_CINS || op == BAM_CDEL) && at >= from && at < to) return at;
        if (op != BAM_CINS) at += bam_cigar_oplen(item);
    }
    return -1;
}

/* The mate that begins first speaks, but where it ends just behind a gap that only the other one shows: its last bases
 * are then out of place. */
static void join_pair(Reads *reads, Read *first, Read *second)
{
    int32_t from = first->end - NEAR_END, to = first->end + 1;
    int32_t gap = gap_in(reads, second, from, to);
    if (gap >= 0 && gap_in(reads, first, from, to) < 0) join_mates(reads, second, first, gap);
    else join_mates(reads, first, second, INT32_MAX);
}

static int join_all_mates(Reads *reads)
{
    int64_t size = 1024;
    while (size < 2 * (int64_t)reads->n_reads) size *= 2;
    int32_t *table = malloc((size_t)size * sizeof(int32_t));
    if (!table) return -1;
    for (int64_t i = 0; i < size; i++) table[i] = -1;
    for (int32_t r = 0; r < reads->n_reads; r++) {
        Read *read = &reads->reads[r];
        int64_t slot = (int64_t)(read->name & (uint64_t)(size - 1));
        for (; table[slot] >= 0; slot = (slot + 1) & (size - 1)) {
            Read *other = &reads->reads[table[slot]];
            if (other->name != read->name) continue;
            if (other->end > read->position && !other->low && !read->low) join_pair(reads, other, read);
            break;
        }
        table[slot] = r;
    }
    free(table);
    return 0;
}

/* Keeps of too many reads those whose names hash low: the same ones in every shard, mates together. */
static int cap_depth(Reads *reads, int32_t start, int32_t end, int32_t most)
{
    int32_t size = end - start + 1;
    int32_t *depth = calloc((size_t)size, sizeof(int32_t));
    if (!depth) return -1;
    for (int32_t r = 0; r < reads->n_reads; r++) {
        int32_t a = reads->reads[r].position - start, b = reads->reads[r].end - start;
        depth[a < 0 ? 0 : a]++;
        depth[b >= size ? size - 1 : b]--;
    }
    int32_t highest = 0;
    for (int32_t i = 1; i < size; i++) {
        depth[i] += depth[i - 1];
        if (depth[i] > highest) highest = depth[i];
    }
    if (highest > most) {
        int32_t kept = 0;
        for (int32_t r = 0; r < reads->n_reads; r++) {
            int32_t a = reads->reads[r].position - start, b = reads->reads[r].end - 1 - start;
            a = a < 0 ? 0 : a;
            b = b >= size ? size - 1 : b;
            int32_t here = depth[a];
            if (depth[(a + b) / 2] > here) here = depth[(a + b) / 2];
            if (depth[b] > here) here = depth[b];
            uint64_t draw = (reads->reads[r].name >> 40) * (uint64_t)here;
            if (here <= most || draw < ((uint64_t)most << 24)) reads->reads[kept++] = reads->reads[r];
        }
        reads->n_reads = kept;
    }
    free(depth);
    return 0;
}

void sort_reads(Reads *reads) { qsort(reads->reads, (size_t)reads->n_reads, sizeof(Read), by_position); }

int reads_finish(Reads *reads, int32_t start, int32_t end, const Options *options, int sort)
{
    if (sort) sort_reads(reads);
    if (cap_depth(reads, start, end, options->maximum_depth)) return -1;
    return join_all_mates(reads);
}

void reads_free(Reads *reads)
{
    free(reads->reads);
    free(reads->bases);
    free(reads->qualities);
    free(reads->cigars);
    memset(reads, 0, sizeof(Reads));
    reads->last_start = -1;
}
