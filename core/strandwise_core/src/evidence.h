/* What the compiled part of the caller shares: reads of an interval, candidate events, and evidence for them.
 *
 * Coordinates are 0-based on the contig. Bases are coded 0..3 for A, C, G, T and 4 for anything else.
 * Qualities and likelihoods are in phred units. All of it is integer arithmetic where it decides anything,
 * and every rule looks at most MARGIN bases around a position, so that results do not depend on the sharding.
 */
#ifndef STRANDWISE_EVIDENCE_H
#define STRANDWISE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "htslib/sam.h"

#define N_FEATURES 57
#define READ_CHANNELS 10
#define MAX_EVENTS 20     /* candidate events that one window combines into haplotypes */
#define MAX_HAPLOTYPES 20 /* haplotypes that one window scores */
#define MARGIN 1000       /* bases read on each side of an interval */

typedef struct {
    int32_t minimum_mapping_quality; /* reads below count as depth of low mapping quality only */
    int32_t minimum_base_quality;    /* bases below are no evidence */
    int32_t missing_base_quality;    /* stands in where a read carries no qualities */
    int32_t maximum_depth;           /* reads beyond are left out, the same ones in every shard */
    int32_t realign;                 /* 0: count what the alignments show and no more */
    int32_t assemble;                /* 0: no haplotypes but those that the alignments show */
    int32_t details; /* 1: keep what explains the events: turned-down ones, windows, the reads behind the rows */
    int32_t kept; /* of 65536 molecules so many are used, the same ones in every shard: training at lower depth */
} Options;

typedef struct {
    int32_t position, end; /* aligned reference span, half-open */
    int64_t sequence;      /* offset of its bases and qualities in the pools */
    int32_t length;
    int32_t cigar, n_cigar;
    int32_t left_clip, right_clip; /* soft-clipped bases */
    int32_t mismatches;            /* differing bases and indels, weighted by good quality */
    uint64_t name;
    uint8_t mapping_quality, reverse, proper, low;
} Read;

typedef struct {
    Read *reads;
    int32_t n_reads, reads_room;
    uint8_t *bases, *qualities;
    int64_t n_bases, bases_room;
    uint32_t *cigars;
    int64_t n_cigars, cigars_room;
    int32_t longest_span; /* largest distance from unclipped start to unclipped end */
    int32_t same_start, last_start;
    int64_t without_qualities;
} Reads;

enum { SNV = 0, INSERTION = 1, DELETION = 2 };

typedef struct {
    int32_t position;               /* first reference base replaced; an insertion goes before it */
    int32_t reference_length;       /* 1, 0 or the deleted length */
    int32_t alternate_length;       /* 1, the inserted length or 0 */
    int32_t alternate;              /* offset of the inserted bases in the allele pool, or the base itself */
    int32_t right;                  /* end of the span over which the event can be shifted */
    int32_t kind;
    int32_t first_support, support; /* its reads in the support array */
    int32_t assembled;              /* 1: part of an assembled haplotype */
    int32_t given;                  /* asked for from outside */
} Event;

/* A haplotype that the reads of [from, to) spell: so many parts, and the reads that show it from end to end. */
typedef struct {
    int32_t first, n, from, to, reads;
} Assembled;

/* A difference that did not become an event: `score` (phred) fell short of `needed`, its reads of `reads_needed`. */
typedef struct {
    int32_t position, kind, length, alternate, reads, reads_needed, depth;
    float score, needed;
} TurnedDown;

/* The window in which an event was judged: its haplotypes, and what each read costs on each of them. */
typedef struct {
    int32_t from, to;           /* reference span of the haplotypes */
    int32_t span_from, span_to; /* span of the window's events with their shifts */
    int32_t realigned;          /* 0: haplotypes have no bases, one position decided */
    int32_t n_events, n_reads, n_haplotypes, event; /* event: which of `events` was judged */
    Event events[MAX_EVENTS];
    uint32_t carried[MAX_HAPLOTYPES]; /* bit k: carries events[k] */
    int32_t lengths[MAX_HAPLOTYPES];
    uint8_t *bases; /* of all haplotypes, one after the other */
    int32_t *reads;
    int32_t *costs; /* n_reads x n_haplotypes */
} Trace;

typedef struct {
    /* interval read, reference codes over it */
    int32_t start, end;
    const uint8_t *reference;
    /* per position of [start, end) */
    int32_t *depth, *low_depth, *disagreeing;
    int64_t *depth_sum, *disagreeing_sum; /* prefix sums */
    uint8_t *repetitive;                  /* 1 in tandem repeats of units up to 6 bases, pure or nearly so */
    /* candidate events, sorted, with the reads that show them */
    Event *events;
    int32_t n_events, events_room;
    int32_t *support;
    int32_t n_support, support_room;
    uint8_t *alleles;
    int32_t n_alleles, alleles_room;
    /* assembled haplotypes, and the events of which they consist */
    Assembled *assembled;
    int32_t n_assembled, assembled_room;
    Event *parts;
    int32_t n_parts, parts_room;
    /* per event */
    float *features;     /* n_events x N_FEATURES */
    float *likelihoods;  /* n_events x 3: phred-scaled, of 0, 1 and 2 copies; the smallest is 0 */
    int32_t *counts;     /* n_events x 3: reads for the reference, for the event, for neither */
    uint8_t *read_rows;  /* n_events x rows x READ_CHANNELS, or NULL */
    int32_t rows;
    /* events asked for from outside that are no candidates: scored after the others, which do not see them */
    Event *given;
    int32_t n_given, given_room;
    /* with Options.details */
    TurnedDown *turned_down;
    int32_t n_turned_down, turned_down_room;
    int32_t *row_reads; /* n_events x rows: index of the read behind each row, or -1 */
    Trace *traces;      /* n_events */
} Evidence;

int reads_add(Reads *reads, const bam1_t *record, const Options *options);
int reads_finish(Reads *reads, int32_t start, int32_t end, const Options *options, int sort);
void sort_reads(Reads *reads);
void reads_free(Reads *reads);

#define LONGEST_READ 600 /* longer ones are not aligned anew */
#define ALIGNED_REACH 300 /* how far from where they should lie the ends of a read are looked for */
#define NO_ALIGNMENT (1 << 28)

typedef struct {
    uint8_t *trace;
    int32_t *match, *insertion;
} Aligner;

typedef struct {
    int32_t mismatch, gap_open, gap_extend; /* gap_open is the cost of its first base */
} AlignmentCosts;

int aligner_make(Aligner *aligner);
void aligner_free(Aligner *aligner);
int32_t align_globally(Aligner *aligner, const uint8_t *bases, const uint8_t *qualities, int n, const uint8_t *reference, int m,
                       const AlignmentCosts *costs, uint32_t *operations, int *n_operations, int most_operations);

int32_t left_align_deletion(const Evidence *e, int32_t position, int32_t length, int32_t least);
int32_t left_align_insertion(const Evidence *e, int32_t position, uint8_t *inserted, int32_t length, int32_t least);
int32_t right_end(const Evidence *e, int32_t position, int32_t reference_length, const uint8_t *inserted, int32_t length);
void repeat_span(const Evidence *e, int32_t *from, int32_t *to);
int spell_events(const Evidence *e, const Event *const *events, int n, int32_t from, int32_t to, uint8_t *bases, int room);
int compare_events(const void *a, const void *b);

int realign_reads(Evidence *evidence, Reads *reads);
int assemble(Evidence *evidence, const Reads *reads, const Options *options);
int evidence_candidates(Evidence *evidence, Reads *reads, const Options *options);
int given_add(Evidence *evidence, int32_t position, int32_t kind, int32_t length, const uint8_t *bases);
int evidence_score(Evidence *evidence, const Reads *reads, const Options *options, int32_t rows);
int given_score(Evidence *evidence, const Reads *reads, const Options *options, int32_t rows);
void evidence_free(Evidence *evidence);
void traces_free(Trace *traces, int32_t n);

int one_gap_cost(const uint8_t *bases, const uint8_t *qualities, int length, const uint8_t *haplotype, int haplotype_length,
                 int before, int after, const uint8_t *gap_open, int32_t *work);
void mismatch_costs(const uint8_t *qualities, int length, uint8_t *costs);
void gap_open_penalties(const uint8_t *haplotype, int length, uint8_t *penalties);

/* Makes room for `needed` items of a growing array; returns 0, or -1 when memory is out. */
int make_room(void **array, int64_t needed, void *room, int room_is_64, size_t size);

#endif
