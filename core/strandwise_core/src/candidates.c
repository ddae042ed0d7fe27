/* One pass over the reads: depth, and the events (SNVs, insertions, deletions) worth a closer look. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_SHIFT 400    /* an event is moved at most so far when it is left-aligned */
#define HALF 3.0103          /* phred cost of a read under a heterozygote: -10 log10(1/2) */

typedef struct {
    int32_t position, read;
    uint8_t base, quality;
} Mismatch;

typedef struct {
    int32_t position, kind, length, allele, read;
} Observed;

typedef struct {
    Mismatch *mismatches;
    int64_t n_mismatches, mismatches_room;
    Observed *observed;
    int32_t n_observed, observed_room;
} Found;

static inline uint8_t reference_at(const Evidence *e, int32_t position)
{
    return position < e->start || position >= e->end ? 4 : e->reference[position - e->start];
}

/* Moves a deletion as far left as the reference allows, but not before `least`. */
int32_t left_align_deletion(const Evidence *e, int32_t position, int32_t length, int32_t least)
{
    for (int k = 0; k < LONGEST_SHIFT && position > least; k++) {
        uint8_t base = reference_at(e, position - 1);
        if (base > 3 || base != reference_at(e, position + length - 1)) break;
        position--;
    }
    return position;
}

/* The same for an insertion; the inserted bases turn with it. */
int32_t left_align_insertion(const Evidence *e, int32_t position, uint8_t *inserted, int32_t length, int32_t least)
{
    int32_t turn = 0;
    for (int k = 0; k < LONGEST_SHIFT && position > least; k++) {
        uint8_t base = reference_at(e, position - 1);
        if (base > 3 || base != inserted[((length - 1 - turn) % length + length) % length]) break;
        position--;
        turn++;
    }
    turn %= length;
    if (turn) { /* the last `turn` bases come first */
        uint8_t copy[4096];
        memcpy(copy, inserted, (size_t)length);
        for (int32_t i = 0; i < length; i++) inserted[i] = copy[(i - turn + length) % length];
    }
    return position;
}

int32_t right_end(const Evidence *e, int32_t position, int32_t reference_length, const uint8_t *inserted, int32_t length)
{
    int32_t k = 0;
    for (; k < LONGEST_SHIFT; k++) {
        uint8_t base = reference_at(e, position + reference_length + k);
        uint8_t first = reference_length ? reference_at(e, position + k) : inserted[k % length];
        if (base > 3 || base != first) break;
    }
    return position + reference_length + k;
}

static int note_deletion(Evidence *e, Found *found, int32_t position, int32_t length, int32_t read)
{
    if (position - length - 1 < e->start || position + length + 1 >= e->end) return 0;
    for (int32_t i = -1; i <= length; i++)
        if (reference_at(e, position + i) > 3) return 0;
    if (make_room((void **)&found->observed, found->n_observed + 1, &found->observed_room, 0, sizeof(Observed))) return -1;
    position = left_align_deletion(e, position, length, e->start);
    found->observed[found->n_observed++] = (Observed){position, DELETION, length, 0, read};
    return 0;
}

static int note_insertion(Evidence *e, Found *found, int32_t position, const uint8_t *bases, int32_t length, int32_t read)
{
    if (length > 4000 || reference_at(e, position - 1) > 3 || reference_at(e, position) > 3) return 0;
    for (int32_t i = 0; i < length; i++)
        if (bases[i] > 3) return 0;
    if (make_room((void **)&e->alleles, e->n_alleles + length, &e->alleles_room, 0, 1)) return -1;
    if (make_room((void **)&found->observed, found->n_observed + 1, &found->observed_room, 0, sizeof(Observed))) return -1;
    uint8_t *inserted = e->alleles + e->n_alleles;
    memcpy(inserted, bases, (size_t)length);
    position = left_align_insertion(e, position, inserted, length, e->start);
    found->observed[found->n_observed++] = (Observed){position, INSERTION, length, e->n_alleles, read};
    e->n_alleles += length;
    return 0;
}

static int scan_read(Evidence *e, Found *found, Reads *reads, int32_t index, const Options *options)
{
    Read *read = &reads->reads[index];
    const uint8_t *bases = reads->bases + read->sequence, *qualities = reads->qualities + read->sequence;
    int32_t at = read->position, query = read->left_clip;
    uint8_t least = (uint8_t)options->minimum_base_quality;
    for (int k = 0; k < read->n_cigar; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item), size = bam_cigar_oplen(item);
        if (op == BAM_CMATCH) {
            int32_t from = at < e->start ? e->start - at : 0, to = at + size > e->end ? e->end - at : size;
            const uint8_t *reference = e->reference + (at - e->start), *b = bases + query, *q = qualities + query;
            int32_t *depth = e->depth + (at - e->start);
            for (int32_t i = from; i < to; i++) depth[i] += q[i] >= least;
            for (int32_t i = from; i < to; i++) {
                if (i + 8 <= to) { /* eight equal bases at a time */
                    uint64_t x, y;
                    memcpy(&x, b + i, 8);
                    memcpy(&y, reference + i, 8);
                    if (x == y) {
                        i += 7;
                        continue;
                    }
                }
                if (b[i] == reference[i] || q[i] < least || b[i] > 3 || reference[i] > 3) continue;
                if (make_room((void **)&found->mismatches, found->n_mismatches + 1, &found->mismatches_room, 1, sizeof(Mismatch)))
                    return -1;
                found->mismatches[found->n_mismatches++] = (Mismatch){at + i, index, b[i], q[i]};
                read->mismatches++;
            }
            at += size;
            query += size;
        } else if (op == BAM_CINS) {
            int good = query > 0 && qualities[query - 1] > 0 && qualities[query + size] > 0;
            if (good && note_insertion(e, found, at, bases + query, size, index)) return -1;
            read->mismatches++;
            query += size;
        } else {
            int good = query > 0 && qualities[query - 1] > 0 && qualities[query] > 0;
            if (op == BAM_CDEL && good) {
                for (int32_t i = 0; i < size; i++)
                    if (at + i >= e->start && at + i < e->end) e->depth[at + i - e->start]++;
                if (note_deletion(e, found, at, size, index)) return -1;
                read->mismatches++;
            }
            at += size;
        }
    }
    return 0;
}

static int add_event(Evidence *e, Event event)
{
    if (make_room((void **)&e->events, e->n_events + 1, &e->events_room, 0, sizeof(Event))) return -1;
    e->events[e->n_events++] = event;
    return 0;
}

static int add_support(Evidence *e, int32_t read)
{
    if (make_room((void **)&e->support, e->n_support + 1, &e->support_room, 0, sizeof(int32_t))) return -1;
    e->support[e->n_support++] = read;
    return 0;
}

static int turn_down(Evidence *e, const Options *options, TurnedDown one)
{
    if (!options->details) return 0;
    if (make_room((void **)&e->turned_down, e->n_turned_down + 1, &e->turned_down_room, 0, sizeof(TurnedDown))) return -1;
    e->turned_down[e->n_turned_down++] = one;
    return 0;
}

static int32_t reads_needed(int32_t least, int32_t percent, int32_t depth)
{
    int32_t share = (percent * depth + 99) / 100;
    return share > least ? share : least;
}

/* SNVs: kept where a heterozygote explains the differing bases nearly as well as errors do. */
static int choose_snvs(Evidence *e, Found *found, const Options *options)
{
    int32_t size = e->end - e->start;
    int32_t *first = calloc((size_t)size + 2, sizeof(int32_t));
    Mismatch *sorted = malloc((size_t)(found->n_mismatches + 1) * sizeof(Mismatch));
    if (!first || !sorted) goto out_of_memory;
    for (int64_t i = 0; i < found->n_mismatches; i++) first[found->mismatches[i].position - e->start + 2]++;
    for (int32_t p = 0; p < size; p++) {
        e->disagreeing[p] = first[p + 2];
        first[p + 2] += first[p + 1];
    }
    for (int64_t i = 0; i < found->n_mismatches; i++)
        sorted[first[found->mismatches[i].position - e->start + 1]++] = found->mismatches[i];
    for (int32_t p = 0; p < size; p++) {
        int32_t from = first[p], to = first[p + 1];
        if (from == to) continue;
        for (uint8_t base = 0; base < 4; base++) {
            int32_t n = 0, sum = 0;
            for (int32_t i = from; i < to; i++)
                if (sorted[i].base == base) {
                    n++;
                    sum += sorted[i].quality + 5;
                }
            if (!n) continue;
            int32_t depth = e->depth[p];
            int32_t least = reads_needed(3, 12, depth);
            if (sum - HALF * depth < 5 && n < least) {
                TurnedDown one = {e->start + p, SNV, 1, base, n, least, depth, (float)sum, (float)(HALF * depth + 5)};
                if (turn_down(e, options, one)) goto out_of_memory;
                continue;
            }
            Event event = {e->start + p, 1, 1, base, e->start + p + 1, SNV, e->n_support, n, 0, 0};
            if (add_event(e, event)) goto out_of_memory;
            for (int32_t i = from; i < to; i++)
                if (sorted[i].base == base && add_support(e, sorted[i].read)) goto out_of_memory;
        }
    }
    free(first);
    free(sorted);
    return 0;
out_of_memory:
    free(first);
    free(sorted);
    return -1;
}

static const uint8_t *sorting_alleles; /* qsort takes no context; sorting happens under the interpreter's lock */

static int compare_observed(const void *a, const void *b)
{
    const Observed *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    if (x->kind == INSERTION) {
        int c = memcmp(sorting_alleles + x->allele, sorting_alleles + y->allele, (size_t)x->length);
        if (c) return c;
    }
    return 0;
}

static int order_observed(const void *a, const void *b)
{
    int c = compare_observed(a, b);
    if (c) return c;
    const Observed *x = a, *y = b;
    return x->read < y->read ? -1 : x->read > y->read;
}

static int choose_indels(Evidence *e, Found *found, const Options *options)
{
    sorting_alleles = e->alleles;
    qsort(found->observed, (size_t)found->n_observed, sizeof(Observed), order_observed);
    for (int32_t i = 0, j; i < found->n_observed; i = j) {
        const Observed *o = &found->observed[i];
        int32_t n = 0, last = -1;
        for (j = i; j < found->n_observed && !compare_observed(o, &found->observed[j]); j++) {
            n += found->observed[j].read != last;
            last = found->observed[j].read;
        }
        if (o->position <= e->start || o->position >= e->end) continue;
        int32_t depth = e->depth[o->position - 1 - e->start];
        uint8_t penalties[64];
        int32_t from = o->position - 32 < e->start ? e->start : o->position - 32;
        int32_t length = from + 64 > e->end ? e->end - from : 64;
        gap_open_penalties(e->reference + (from - e->start), length, penalties);
        int32_t open = penalties[o->position - from];
        int32_t least = reads_needed(2, 6, depth);
        if (n * open - HALF * depth / 2 < 3 && n < least) {
            TurnedDown one = {o->position, o->kind, o->length, o->allele, n, least, depth, (float)(n * open), (float)(HALF * depth / 2 + 3)};
            if (turn_down(e, options, one)) return -1;
            continue;
        }
        Event event;
        memset(&event, 0, sizeof(event));
        event.position = o->position;
        event.kind = o->kind;
        if (o->kind == DELETION) event.reference_length = o->length;
        else event.alternate_length = o->length;
        event.alternate = o->allele;
        event.right = right_end(e, o->position, event.reference_length, e->alleles + o->allele, o->length);
        event.first_support = e->n_support;
        event.support = n;
        if (add_event(e, event)) return -1;
        last = -1;
        for (int32_t k = i; k < j; k++) {
            if (found->observed[k].read != last && add_support(e, found->observed[k].read)) return -1;
            last = found->observed[k].read;
        }
    }
    return 0;
}

/* Order in which events are written into a haplotype: an insertion comes before what replaces the base at its position. */
int compare_events(const void *a, const void *b)
{
    static const int rank[3] = {1, 0, 2};
    const Event *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    if (x->kind != y->kind) return rank[x->kind] - rank[y->kind];
    if (x->reference_length != y->reference_length) return x->reference_length - y->reference_length;
    if (x->alternate_length != y->alternate_length) return x->alternate_length - y->alternate_length;
    if (x->kind == INSERTION)
        return memcmp(sorting_alleles + x->alternate, sorting_alleles + y->alternate, (size_t)x->alternate_length);
    return x->alternate - y->alternate;
}

#define REPEAT_WINDOW 12 /* so many bases in a row are compared with those one unit before */
#define REPEAT_EQUAL 11  /* of which so many are equal in a repeat */
#define LONGEST_REPEAT 120

static void mark_repeats(Evidence *e)
{
    int32_t size = e->end - e->start;
    for (int32_t unit = 1; unit <= 6; unit++) {
        int32_t equal = 0;
        for (int32_t p = unit; p < size; p++) {
            equal += e->reference[p] < 4 && e->reference[p] == e->reference[p - unit];
            if (p >= unit + REPEAT_WINDOW) equal -= e->reference[p - REPEAT_WINDOW] < 4 && e->reference[p - REPEAT_WINDOW] == e->reference[p - REPEAT_WINDOW - unit];
            if (p + 1 >= unit + REPEAT_WINDOW && equal >= REPEAT_EQUAL) memset(e->repetitive + p - REPEAT_WINDOW - unit + 1, 1, (size_t)(REPEAT_WINDOW + unit));
        }
    }
}

/* Widens a span over the tandem repeats that it touches, by LONGEST_REPEAT bases on each side at most. */
void repeat_span(const Evidence *e, int32_t *from, int32_t *to)
{
    int32_t least = *from - LONGEST_REPEAT < e->start ? e->start : *from - LONGEST_REPEAT;
    int32_t most = *to + LONGEST_REPEAT > e->end ? e->end : *to + LONGEST_REPEAT;
    while (*from > least && e->repetitive[*from - 1 - e->start]) --*from;
    while (*to < most && e->repetitive[*to - e->start]) ++*to;
}

/* Makes events of the assembled haplotypes' parts candidates too, where they are none yet. */
static int add_assembled(Evidence *e)
{
    int32_t known = e->n_events;
    for (int32_t i = 0; i < e->n_parts; i++) {
        Event event = e->parts[i];
        event.assembled = 1;
        Event *same = known ? bsearch(&event, e->events, (size_t)known, sizeof(Event), compare_events) : NULL;
        if (same) {
            same->assembled = 1;
            continue;
        }
        int again = 0;
        for (int32_t j = known; j < e->n_events && !again; j++) again = !compare_events(&event, &e->events[j]);
        if (!again && add_event(e, event)) return -1;
    }
    if (e->n_events) qsort(e->events, (size_t)e->n_events, sizeof(Event), compare_events);
    return 0;
}

/* Whether an observed difference is this event, which is not left-aligned anew: both already are. */
static int shows(const Evidence *e, const Observed *o, const Event *event)
{
    if (o->position != event->position || o->kind != event->kind) return 0;
    if (o->kind == DELETION) return o->length == event->reference_length;
    return o->length == event->alternate_length &&
           !memcmp(e->alleles + o->allele, e->alleles + event->alternate, (size_t)o->length);
}

/* Marks candidates that are given, drops them from the given ones, and lists the reads that show those which stay.
 * Needs the candidates and what was observed sorted. */
static int match_given(Evidence *e, const Found *found)
{
    int32_t kept = 0, at = 0, first = 0;
    if (e->n_given) qsort(e->given, (size_t)e->n_given, sizeof(Event), compare_events);
    for (int32_t g = 0; g < e->n_given; g++) {
        Event event = e->given[g];
        if (kept && !compare_events(&event, &e->given[kept - 1])) continue; /* given twice */
        while (at < e->n_events && compare_events(&e->events[at], &event) < 0) at++;
        if (at < e->n_events && !compare_events(&e->events[at], &event)) {
            e->events[at].given = 1;
            continue;
        }
        event.first_support = e->n_support;
        if (event.kind == SNV) {
            for (int64_t i = 0; i < found->n_mismatches; i++) {
                const Mismatch *m = &found->mismatches[i];
                if (m->position == event.position && m->base == event.alternate && add_support(e, m->read)) return -1;
            }
        } else {
            while (first < found->n_observed && found->observed[first].position < event.position) first++;
            int32_t last = -1;
            for (int32_t i = first; i < found->n_observed && found->observed[i].position == event.position; i++) {
                const Observed *o = &found->observed[i];
                if (!shows(e, o, &event) || o->read == last) continue;
                if (add_support(e, o->read)) return -1;
                last = o->read;
            }
        }
        event.support = e->n_support - event.first_support;
        e->given[kept++] = event;
    }
    e->n_given = kept;
    return 0;
}

int evidence_candidates(Evidence *e, Reads *reads, const Options *options)
{
    size_t size = (size_t)(e->end - e->start);
    Found found;
    memset(&found, 0, sizeof(found));
    int status = -1;
    e->depth = calloc(size + 1, sizeof(int32_t));
    e->low_depth = calloc(size + 1, sizeof(int32_t));
    e->disagreeing = calloc(size + 1, sizeof(int32_t));
    e->depth_sum = calloc(size + 1, sizeof(int64_t));
    e->disagreeing_sum = calloc(size + 1, sizeof(int64_t));
    e->repetitive = calloc(size + 1, 1);
    if (!e->repetitive || !e->depth || !e->low_depth || !e->disagreeing || !e->depth_sum || !e->disagreeing_sum) goto done;
    mark_repeats(e);
    if (options->realign && realign_reads(e, reads)) goto done;
    for (int32_t r = 0; r < reads->n_reads; r++) {
        const Read *read = &reads->reads[r];
        if (!read->low) {
            if (scan_read(e, &found, reads, r, options)) goto done;
            continue;
        }
        for (int32_t p = read->position; p < read->end; p++)
            if (p >= e->start && p < e->end) e->low_depth[p - e->start]++;
    }
    if (choose_snvs(e, &found, options) || choose_indels(e, &found, options)) goto done;
    sorting_alleles = e->alleles;
    if (e->n_events) qsort(e->events, (size_t)e->n_events, sizeof(Event), compare_events);
    if (options->realign && options->assemble) {
        if (assemble(e, reads, options)) goto done;
        sorting_alleles = e->alleles;
        if (add_assembled(e)) goto done;
    }
    if (e->n_given && match_given(e, &found)) goto done;
    for (size_t p = 0; p < size; p++) {
        e->depth_sum[p + 1] = e->depth_sum[p] + e->depth[p];
        e->disagreeing_sum[p + 1] = e->disagreeing_sum[p] + e->disagreeing[p];
    }
    status = 0;
done:
    free(found.mismatches);
    free(found.observed);
    return status;
}

void evidence_free(Evidence *e)
{
    free(e->repetitive);
    free(e->depth);
    free(e->low_depth);
    free(e->disagreeing);
    free(e->depth_sum);
    free(e->disagreeing_sum);
    free(e->events);
    free(e->support);
    free(e->alleles);
    free(e->assembled);
    free(e->parts);
    free(e->features);
    free(e->likelihoods);
    free(e->counts);
    free(e->read_rows);
    free(e->turned_down);
    free(e->row_reads);
    traces_free(e->traces, e->n_events + e->n_given);
    free(e->given);
    memset(e, 0, sizeof(Evidence));
}
