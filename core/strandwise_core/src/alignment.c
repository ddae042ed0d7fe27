/* Aligns reads anew that their aligner clipped or left full of differences, where both ends fit the reference.
 *
 * Aligners clip a read, or force it through, where an insertion is long or several changes lie close together. When the
 * far end of such a read occurs just once nearby, the read is aligned between its two ends with affine gap costs
 * (Gotoh 1982, An improved algorithm for matching biological sequences), and the new alignment replaces the old one if
 * it explains the read better.
 */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define ANCHOR 14          /* bases at a clipped end that must occur once, with at most one difference */
#define SHORTEST_CLIP 8    /* shorter clips are left alone */
#define CLIPPED 5          /* cost of a clipped base, against which the new alignment has to win */
#define ROOM (LONGEST_READ + 1) * (LONGEST_READ + ALIGNED_REACH + 1)

static const AlignmentCosts COSTS = {40, 66, 2};

int aligner_make(Aligner *w)
{
    w->trace = malloc(ROOM);
    w->match = malloc((LONGEST_READ + ALIGNED_REACH + 1) * sizeof(int32_t));
    w->insertion = malloc((LONGEST_READ + ALIGNED_REACH + 1) * sizeof(int32_t));
    return w->trace && w->match && w->insertion ? 0 : -1;
}

void aligner_free(Aligner *w)
{
    free(w->trace);
    free(w->match);
    free(w->insertion);
}

/* Where `anchor` bases fit the reference near `expected`; INT32_MIN where they fit nowhere or more than once. */
static int32_t find_once(const Evidence *e, const uint8_t *bases, int32_t expected)
{
    int32_t found = INT32_MIN;
    for (int32_t at = expected - ALIGNED_REACH; at <= expected + ALIGNED_REACH; at++) {
        if (at < e->start || at + ANCHOR > e->end) continue;
        const uint8_t *reference = e->reference + (at - e->start);
        int differences = 0;
        for (int i = 0; i < ANCHOR && differences < 2; i++) differences += bases[i] != reference[i];
        if (differences > 1) continue;
        if (found != INT32_MIN) return INT32_MIN;
        found = at;
    }
    return found;
}

static int good_quality(const uint8_t *qualities, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) sum += qualities[i];
    return sum >= 15 * n;
}

/* Global alignment of n bases (at most LONGEST_READ) with m reference bases (at most ALIGNED_REACH more); writes the operations
 * backwards, returns the cost. qualities may be NULL: then all bases are good. */
int32_t align_globally(Aligner *w, const uint8_t *bases, const uint8_t *qualities, int n, const uint8_t *reference, int m,
                       const AlignmentCosts *costs, uint32_t *operations, int *n_operations, int most_operations)
{
    const int32_t gap_open = costs->gap_open, gap_extend = costs->gap_extend;
    enum { FROM_MATCH = 0, FROM_INSERTION = 1, FROM_DELETION = 2, OPEN_INSERTION = 4, OPEN_DELETION = 8 };
    int32_t far = NO_ALIGNMENT;
    int stride = m + 1;
    int32_t *match = w->match, *insertion = w->insertion;
    match[0] = 0;
    insertion[0] = far;
    for (int j = 1; j <= m; j++) {
        match[j] = gap_open + gap_extend * (j - 1);
        insertion[j] = far;
        w->trace[j] = FROM_DELETION | (j == 1 ? OPEN_DELETION : 0);
    }
    for (int i = 1; i <= n; i++) {
        int32_t diagonal = match[0], deletion = far;
        match[0] = gap_open + gap_extend * (i - 1);
        insertion[0] = match[0];
        w->trace[(size_t)i * stride] = FROM_INSERTION | (i == 1 ? OPEN_INSERTION : 0);
        int32_t cost = qualities && qualities[i - 1] < 10 ? 8 : costs->mismatch;
        for (int j = 1; j <= m; j++) {
            uint8_t step = 0;
            int32_t opened = match[j] + gap_open, extended = insertion[j] + gap_extend;
            if (opened <= extended) step |= OPEN_INSERTION;
            insertion[j] = opened <= extended ? opened : extended;
            opened = match[j - 1] + gap_open;
            extended = deletion + gap_extend;
            if (opened <= extended) step |= OPEN_DELETION;
            deletion = opened <= extended ? opened : extended;
            int32_t best = diagonal + (bases[i - 1] == reference[j - 1] ? 0 : cost);
            diagonal = match[j];
            if (insertion[j] < best) {
                best = insertion[j];
                step |= FROM_INSERTION;
            }
            if (deletion < best) {
                best = deletion;
                step = (uint8_t)((step & ~3) | FROM_DELETION);
            }
            match[j] = best;
            w->trace[(size_t)i * stride + j] = step;
        }
    }
    int i = n, j = m, state = FROM_MATCH, used = 0;
    while (i > 0 || j > 0) {
        uint8_t step = w->trace[(size_t)i * stride + j];
        if (state == FROM_MATCH) state = step & 3;
        int op = state == FROM_INSERTION ? BAM_CINS : state == FROM_DELETION ? BAM_CDEL : BAM_CMATCH;
        if (used && bam_cigar_op(operations[used - 1]) == op) operations[used - 1] += 1u << BAM_CIGAR_SHIFT;
        else if (used == most_operations) return far;
        else operations[used++] = 1u << BAM_CIGAR_SHIFT | (uint32_t)op;
        if (op == BAM_CMATCH) {
            i--;
            j--;
        } else if (op == BAM_CINS) {
            if (step & OPEN_INSERTION) state = FROM_MATCH;
            i--;
        } else {
            if (step & OPEN_DELETION) state = FROM_MATCH;
            j--;
        }
    }
    *n_operations = used;
    return match[m];
}

/* What the aligner's alignment costs under the same rules; *messy: gaps and mismatches in it. */
static int32_t old_cost(const Evidence *e, const Reads *reads, const Read *read, int *messy)
{
    const uint8_t *bases = reads->bases + read->sequence, *qualities = reads->qualities + read->sequence;
    int32_t at = read->position, query = read->left_clip;
    int32_t cost = CLIPPED * (read->left_clip + read->right_clip);
    int differences = 0, gaps = 0;
    for (int k = 0; k < read->n_cigar; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item), size = bam_cigar_oplen(item);
        if (op == BAM_CREF_SKIP) return -1;
        if (op == BAM_CMATCH) {
            for (int i = 0; i < size; i++, at++, query++) {
                if (at < e->start || at >= e->end || bases[query] == e->reference[at - e->start]) continue;
                cost += qualities[query] < 10 ? 8 : COSTS.mismatch;
                differences += qualities[query] >= 10;
            }
        } else {
            cost += COSTS.gap_open + COSTS.gap_extend * (size - 1);
            gaps++;
            if (op == BAM_CINS) query += size;
            else at += size;
        }
    }
    *messy = gaps > 1 || (gaps && differences > 1) || differences > 5;
    return cost;
}

static int realign_read(Evidence *e, Reads *reads, Read *read, Aligner *w)
{
    int n = read->length;
    if (read->low || n < 2 * ANCHOR || n > LONGEST_READ) return 0;
    int clipped = read->left_clip >= SHORTEST_CLIP || read->right_clip >= SHORTEST_CLIP;
    if (!clipped && read->n_cigar < 2) return 0;
    const uint8_t *bases = reads->bases + read->sequence, *qualities = reads->qualities + read->sequence;
    int messy;
    int32_t before = old_cost(e, reads, read, &messy);
    if (before < 0 || (!clipped && !messy)) return 0;
    int32_t from = read->position - read->left_clip, to = read->end + read->right_clip;
    if (read->left_clip) {
        if (read->left_clip >= ANCHOR && !good_quality(qualities, read->left_clip)) return 0;
        if (read->left_clip >= SHORTEST_CLIP) from = find_once(e, bases, from);
    }
    if (read->right_clip) {
        if (read->right_clip >= ANCHOR && !good_quality(qualities + n - read->right_clip, read->right_clip)) return 0;
        if (read->right_clip >= SHORTEST_CLIP) to = find_once(e, bases + n - ANCHOR, to - ANCHOR);
        if (read->right_clip >= SHORTEST_CLIP && to != INT32_MIN) to += ANCHOR;
    }
    if (from == INT32_MIN || to == INT32_MIN || from < e->start || to > e->end) return 0;
    int m = to - from;
    if (m < ANCHOR || m > n + ALIGNED_REACH || n - m > n - 2 * ANCHOR) return 0;
    uint32_t operations[32];
    int n_operations = 0;
    int32_t after = align_globally(w, bases, qualities, n, e->reference + (from - e->start), m, &COSTS, operations, &n_operations, 32);
    if (after >= before) return 0;
    if (bam_cigar_op(operations[0]) != BAM_CMATCH || bam_cigar_op(operations[n_operations - 1]) != BAM_CMATCH) return 0;
    if (make_room((void **)&reads->cigars, reads->n_cigars + n_operations, &reads->cigars_room, 1, sizeof(uint32_t))) return -1;
    read->cigar = (int32_t)reads->n_cigars;
    read->n_cigar = n_operations;
    for (int k = 0; k < n_operations; k++) reads->cigars[reads->n_cigars + k] = operations[n_operations - 1 - k];
    reads->n_cigars += n_operations;
    read->position = from;
    read->end = to;
    read->left_clip = read->right_clip = 0;
    if (to - from > reads->longest_span) reads->longest_span = to - from;
    return 1;
}

int realign_reads(Evidence *e, Reads *reads)
{
    Aligner w;
    int status = aligner_make(&w), changed = 0;
    for (int32_t r = 0; r < reads->n_reads && !status; r++) {
        int result = realign_read(e, reads, &reads->reads[r], &w);
        if (result < 0) status = -1;
        changed |= result > 0;
    }
    if (changed && !status) sort_reads(reads);
    aligner_free(&w);
    return status;
}
