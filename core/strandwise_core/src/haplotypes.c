/* Scores reads against haplotypes, and haplotype pairs against all reads: genotype likelihoods of each event. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define FLANK 60       /* reference bases that a haplotype has on each side of its events */
#define JOIN 10        /* events no farther apart share a window */
#define LONGEST 250    /* a longer chain of events is scored event by event */
#define MOST_JOINT 10  /* so are more events */
#define NEIGHBOURS 5   /* events that then take part beside the one scored, */
#define NEAR 120       /* and the assembled haplotypes' events so near */
#define MOST_SEEN 64   /* combinations of events in one read that are told apart */
#define MOST_COST 45   /* phred: the chance that a read has nothing to do with this place */
#define EVENT_COST 12  /* phred: prior cost of each event of a haplotype, so that none is used up on noise */
#define CLEAR 5        /* phred: a read speaks for or against an event beyond this */
#define MISFIT 40      /* phred: above, a read fits none of the haplotypes */
#define SCALE 256      /* fixed-point units of a phred unit in sums over reads */

/* -10 log10 of (e/3)/(1-e), rounded, e = 10^(-q/10): what a mismatch costs beyond a match. */
static inline int32_t mismatch_cost(uint8_t quality)
{
    static const uint8_t low[10] = {0, 0, 2, 5, 7, 8, 10, 11, 12, 13};
    if (quality < 10) return low[quality];
    return quality + 4 > MOST_COST ? MOST_COST : quality + 4;
}

void mismatch_costs(const uint8_t *qualities, int length, uint8_t *costs)
{
    for (int i = 0; i < length; i++) costs[i] = (uint8_t)mismatch_cost(qualities[i]);
}

/* SCALE x 10 log10(1 + 10^(-d/10)) for d = 0, 1, 2, ... phred. */

static int32_t log_sum(int32_t difference)
{
    static const int16_t table[] = {771, 650, 544, 452, 373, 305, 249, 202, 164, 132, 106, 85, 68, 54, 43, 35, 28,
                                    22,  17,  14,  11,  9,   7,   6,   4,   4,   3,   2,   2,  1,  1,  1,  1,  1};
    return difference < 34 ? table[difference] : 0;
}

/* Penalties (phred) of opening a gap at each haplotype base: 45 in plain sequence, less the longer the
 * homopolymer or tandem repeat (unit up to 4 bases) around it, because polymerases slip there. */
void gap_open_penalties(const uint8_t *haplotype, int length, uint8_t *penalties)
{
    static const uint8_t homopolymer[20] = {45, 45, 45, 44, 42, 40, 37, 34, 31, 28, 26, 24, 22, 20, 19, 18, 17, 16, 15, 15};
    static const uint8_t repeat[13] = {45, 45, 44, 41, 38, 35, 32, 29, 26, 24, 22, 20, 18};
    memset(penalties, 45, (size_t)length);
    for (int unit = 1; unit <= 4; unit++) {
        for (int begin = 0; begin + unit < length;) {
            int end = begin + unit;
            while (end < length && haplotype[end] == haplotype[end - unit] && haplotype[end] < 4) end++;
            int copies = (end - begin) / unit;
            uint8_t penalty = unit == 1 ? homopolymer[copies > 19 ? 19 : copies] : repeat[copies > 12 ? 12 : copies];
            if (copies >= 3 && penalty < 45)
                for (int i = begin; i < end; i++)
                    if (penalty < penalties[i]) penalties[i] = penalty;
            begin = end - unit + 1 > begin + 1 ? end - unit + 1 : begin + 1;
        }
    }
}

static int32_t diagonal_cost(const uint8_t *bases, const uint8_t *costs, int length, const uint8_t *haplotype, int haplotype_length, int diagonal)
{
    int from = diagonal < 0 ? -diagonal : 0, to = haplotype_length - diagonal < length ? haplotype_length - diagonal : length;
    int32_t cost = 0;
    for (int i = from; i < to; i++) cost += bases[i] != haplotype[i + diagonal] ? costs[i] : 0;
    return cost;
}

/* Cheapest alignment that has base i on haplotype base i + before up to one gap, and on i + after beyond it.
 * `costs`: mismatch cost of each base; `work`: room for 2 x (length + 1) numbers. Bases off the haplotype cost nothing. */
int one_gap_cost(const uint8_t *bases, const uint8_t *costs, int length, const uint8_t *haplotype, int haplotype_length,
                 int before, int after, const uint8_t *gap_open, int32_t *work)
{
    if (before == after) return diagonal_cost(bases, costs, length, haplotype, haplotype_length, before);
    int32_t *head = work, *tail = work + length + 1;
    head[0] = 0;
    for (int i = 0; i < length; i++) {
        int h = i + before;
        head[i + 1] = head[i] + (h >= 0 && h < haplotype_length && bases[i] != haplotype[h] ? costs[i] : 0);
    }
    tail[length] = 0;
    for (int i = length - 1; i >= 0; i--) {
        int h = i + after;
        tail[i] = tail[i + 1] + (h >= 0 && h < haplotype_length && bases[i] != haplotype[h] ? costs[i] : 0);
    }
    int inserted = before > after ? before - after : 0, size = inserted ? inserted : after - before;
    int extension = size > 6 ? 20 : 4 * (size - 1);
    int from = 1 - before > 1 ? 1 - before : 1, to = haplotype_length - before < length ? haplotype_length - before : length;
    int32_t best = 100000;
    for (int i = from; i < to && i + inserted < length; i++) {
        int32_t cost = head[i] + tail[i + inserted] + gap_open[i + before];
        if (cost < best) best = cost;
    }
    return best + extension;
}

typedef struct {
    uint8_t *bases, *gap_open;
    int length;
    uint32_t events; /* bit k: carries event k of the window */
    int has_penalties;
} Haplotype;

typedef struct {
    int n_events;
    int event[MAX_EVENTS]; /* indices into the evidence's events, sorted */
    int32_t from, to;      /* span of the events with their shifts */
    int32_t first, last;   /* reference span of the haplotypes */
    int realigned;
    Haplotype haplotypes[MAX_HAPLOTYPES];
    int n_haplotypes;
    int32_t *reads; /* indices of the reads that reach the span */
    int32_t *costs; /* n_reads x MAX_HAPLOTYPES */
    uint8_t *misfit;
    int n_reads, reads_room;
    uint8_t *base_costs;
    int32_t *work;
} Window;

static int find_reads(const Evidence *e, const Reads *reads, Window *w)
{
    (void)e;
    int32_t low = 0, high = reads->n_reads, from = w->from - reads->longest_span - 1;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (reads->reads[middle].position < from) low = middle + 1;
        else high = middle;
    }
    w->n_reads = 0;
    for (int32_t r = low; r < reads->n_reads; r++) {
        const Read *read = &reads->reads[r];
        if (read->position - reads->longest_span > w->to) break;
        if (read->low || read->position - read->left_clip >= w->to || read->end + read->right_clip <= w->from) continue;
        if (w->n_reads == w->reads_room) {
            int room = w->reads_room ? 2 * w->reads_room : 512;
            int32_t *more = realloc(w->reads, (size_t)room * sizeof(int32_t));
            if (!more) return -1;
            w->reads = more;
            int32_t *costs = realloc(w->costs, (size_t)room * MAX_HAPLOTYPES * sizeof(int32_t));
            if (!costs) return -1;
            w->costs = costs;
            uint8_t *misfit = realloc(w->misfit, (size_t)room);
            if (!misfit) return -1;
            w->misfit = misfit;
            w->reads_room = room;
        }
        w->reads[w->n_reads++] = r;
    }
    return 0;
}

/* Query index of the base aligned to `position`, or -1; *inside is 0 where the read does not span the position. */
static int32_t locate(const Reads *reads, const Read *read, int32_t position, int *inside)
{
    int32_t at = read->position, query = read->left_clip;
    *inside = position >= read->position && position < read->end;
    if (!*inside) return -1;
    for (int k = 0; k < read->n_cigar; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item), size = bam_cigar_oplen(item);
        if (op == BAM_CMATCH) {
            if (position < at + size) return query + position - at;
            at += size;
            query += size;
        } else if (op == BAM_CINS) {
            query += size;
        } else {
            at += size;
            if (position < at) return -1;
        }
    }
    return -1;
}

/* Writes the bases of [from, to) with n sorted events; returns their number, or -1 where two overlap or room is short. */
int spell_events(const Evidence *e, const Event *const *events, int n, int32_t from, int32_t to, uint8_t *bases, int room)
{
    int32_t at = from;
    int length = 0;
    for (int k = 0; k < n; k++) {
        const Event *event = events[k];
        if (event->position < at) return -1;
        if (length + event->position - at + event->alternate_length + (to - event->position) > room) return -1;
        memcpy(bases + length, e->reference + (at - e->start), (size_t)(event->position - at));
        length += event->position - at;
        if (event->kind == SNV) bases[length++] = (uint8_t)event->alternate;
        else if (event->kind == INSERTION) {
            memcpy(bases + length, e->alleles + event->alternate, (size_t)event->alternate_length);
            length += event->alternate_length;
        }
        at = event->position + event->reference_length;
    }
    if (at > to || length + to - at > room) return -1;
    memcpy(bases + length, e->reference + (at - e->start), (size_t)(to - at));
    return length + (to - at);
}

static int spell(const Evidence *e, const Window *w, uint32_t events, int32_t from, int32_t to, uint8_t *bases, int room)
{
    const Event *chosen[MAX_EVENTS];
    int n = 0;
    for (int k = 0; k < w->n_events; k++)
        if (events >> k & 1) chosen[n++] = &e->events[w->event[k]];
    return spell_events(e, chosen, n, from, to, bases, room);
}

static int add_haplotype(const Evidence *e, Window *w, uint32_t events, int32_t from, int32_t to)
{
    if (w->n_haplotypes == MAX_HAPLOTYPES) return 0;
    int room = to - from + 64;
    for (int k = 0; k < w->n_events; k++)
        if (events >> k & 1) room += e->events[w->event[k]].alternate_length;
    uint8_t *bases = malloc((size_t)room);
    if (!bases) return -1;
    int length = spell(e, w, events, from, to, bases, room);
    int keep = length > 0;
    for (int h = 0; keep && h < w->n_haplotypes; h++)
        if (w->haplotypes[h].length == length && !memcmp(w->haplotypes[h].bases, bases, (size_t)length)) keep = 0;
    if (!keep) {
        free(bases);
        return 0;
    }
    Haplotype *h = &w->haplotypes[w->n_haplotypes++];
    h->bases = bases;
    h->length = length;
    h->events = events;
    h->gap_open = malloc((size_t)length);
    h->has_penalties = 0;
    return h->gap_open ? 0 : -1;
}

static void drop_haplotypes(Window *w)
{
    for (int h = 0; h < w->n_haplotypes; h++) {
        free(w->haplotypes[h].bases);
        free(w->haplotypes[h].gap_open);
    }
    w->n_haplotypes = 0;
}

static int bits(uint32_t x) { return __builtin_popcount(x); }

/* The assembled haplotypes, as far as they lie in the window. */
static int add_assembled(const Evidence *e, Window *w, int32_t from, int32_t to, uint32_t *covered)
{
    for (int32_t i = 0; i < e->n_assembled; i++) {
        const Assembled *found = &e->assembled[i];
        if (found->to <= w->from || found->from >= w->to) continue;
        uint32_t events = 0;
        for (int32_t p = found->first; p < found->first + found->n; p++)
            for (int k = 0; k < w->n_events; k++)
                if (!compare_events(&e->parts[p], &e->events[w->event[k]])) events |= 1u << k;
        if (events && add_haplotype(e, w, events, from, to)) return -1;
        *covered |= events;
    }
    return 0;
}

/* Haplotypes of a window: the assembled ones and all combinations of up to three events; of more, the combinations that spanning reads show,
 * the most frequent first, and each event by itself where none of these carries it. */
static int make_haplotypes(const Evidence *e, const Reads *reads, Window *w, int32_t from, int32_t to)
{
    if (add_haplotype(e, w, 0, from, to)) return -1;
    uint32_t covered = 0;
    if (add_assembled(e, w, from, to, &covered)) return -1;
    if (w->n_events <= 3) {
        for (int size = 1; size <= w->n_events; size++) /* of two spellings the one with fewer events stays */
            for (uint32_t events = 1; events < 1u << w->n_events; events++)
                if (bits(events) == size && add_haplotype(e, w, events, from, to)) return -1;
        return 0;
    }
    struct {
        uint32_t events;
        int reads;
    } seen[MOST_SEEN];
    int n_seen = 0;
    for (int i = 0; i < w->n_reads; i++) {
        const Read *read = &reads->reads[w->reads[i]];
        if (read->position > w->from - 1 || read->end < w->to + 1) continue;
        uint32_t events = 0;
        for (int k = 0; k < w->n_events; k++) {
            const Event *event = &e->events[w->event[k]];
            const int32_t *support = e->support + event->first_support;
            for (int s = 0; s < event->support; s++)
                if (support[s] == w->reads[i]) events |= 1u << k;
        }
        int n = 0;
        while (n < n_seen && seen[n].events != events) n++;
        if (!events || n == MOST_SEEN) continue;
        if (n == n_seen) {
            seen[n_seen].events = events;
            seen[n_seen++].reads = 0;
        }
        seen[n].reads++;
    }
    for (int n = 0; n < MAX_HAPLOTYPES - 3; n++) {
        int best = -1;
        for (int i = 0; i < n_seen; i++) {
            if (!seen[i].reads || (best >= 0 && seen[i].reads < seen[best].reads)) continue;
            if (best < 0 || seen[i].reads > seen[best].reads || seen[i].events < seen[best].events) best = i;
        }
        if (best < 0 || (n >= 6 && seen[best].reads < 2)) break;
        seen[best].reads = 0;
        if (add_haplotype(e, w, seen[best].events, from, to)) return -1;
        covered |= seen[best].events;
    }
    for (int k = 0; k < w->n_events; k++)
        if (!(covered >> k & 1) && add_haplotype(e, w, 1u << k, from, to)) return -1;
    return 0;
}

static const uint8_t *penalties_of(Haplotype *h)
{
    if (!h->has_penalties) gap_open_penalties(h->bases, h->length, h->gap_open);
    h->has_penalties = 1;
    return h->gap_open;
}

/* Where the aligner put a read at both ends of the haplotypes [from, to): reference position minus index of the base. Its gaps
 * beyond them are those of neighbouring windows, and move neither. */
typedef struct {
    int32_t left, right;
} Placement;

static Placement place_read(const Reads *reads, const Read *read, int32_t from, int32_t to)
{
    int32_t at = read->position, query = read->left_clip;
    Placement placement = {at - query, at - query};
    int past_from = 0;
    for (int k = 0; k < read->n_cigar; k++) {
        uint32_t item = reads->cigars[read->cigar + k];
        int op = bam_cigar_op(item), size = bam_cigar_oplen(item);
        if (op == BAM_CMATCH) {
            if (!past_from) placement.left = at - query;
            if (at < to || !k) placement.right = at - query;
            past_from |= at + size > from;
        }
        if (op != BAM_CINS) at += size;
        if (op == BAM_CMATCH || op == BAM_CINS) query += size;
    }
    return placement;
}

/* Cost (phred) of one read on one haplotype. The aligner's placement left of the events and right of them gives two
 * diagonals; a read that runs through must pass from one to the other by a gap, one that ends inside may stay on either. */
static int32_t read_cost(const Reads *reads, const Read *read, const Placement *placement, Window *w, Haplotype *h, int32_t from, int32_t to,
                         int any_gap)
{
    const uint8_t *bases = reads->bases + read->sequence;
    int n = read->length;
    int left_known = read->position < w->from, right_known = read->end > w->to;
    int left = placement->left - from, right = placement->right - to + h->length; /* diagonals */
    int through_left = read->position <= from, through_right = read->end >= to;
    if (!left_known && !right_known) {
        int32_t a = diagonal_cost(bases, w->base_costs, n, h->bases, h->length, left);
        int32_t b = diagonal_cost(bases, w->base_costs, n, h->bases, h->length, right);
        return a < b ? a : b;
    }
    int32_t best = 100000, cost;
    if (left_known && (!through_right || left == right)) {
        cost = diagonal_cost(bases, w->base_costs, n, h->bases, h->length, left);
        if (cost < best) best = cost;
    }
    if (right_known && !through_left && (left != right || !left_known)) {
        cost = diagonal_cost(bases, w->base_costs, n, h->bases, h->length, right);
        if (cost < best) best = cost;
    }
    if (left_known && right_known && left != right && best > 0) {
        cost = one_gap_cost(bases, w->base_costs, n, h->bases, h->length, left, right, penalties_of(h), w->work);
        if (cost < best) best = cost;
    }
    if (any_gap)
        for (int gap = -8; gap <= 8; gap++) {
            if (gap == 0) continue;
            if (left_known && !through_right) {
                cost = one_gap_cost(bases, w->base_costs, n, h->bases, h->length, left, left + gap, penalties_of(h), w->work);
                if (cost < best) best = cost;
            }
            if (right_known && !through_left) {
                cost = one_gap_cost(bases, w->base_costs, n, h->bases, h->length, right + gap, right, penalties_of(h), w->work);
                if (cost < best) best = cost;
            }
        }
    return best;
}

static int32_t most_cost(const Read *read)
{
    return read->mapping_quality < 10 ? 10 : read->mapping_quality > MOST_COST ? MOST_COST : read->mapping_quality;
}

/* Costs by realignment: every read of the window on every haplotype. */
static void realign(const Reads *reads, Window *w, int32_t from, int32_t to)
{
    for (int i = 0; i < w->n_reads; i++) {
        const Read *read = &reads->reads[w->reads[i]];
        const uint8_t *qualities = reads->qualities + read->sequence;
        mismatch_costs(qualities, read->length, w->base_costs);
        int32_t *costs = w->costs + (size_t)i * MAX_HAPLOTYPES;
        Placement placement = place_read(reads, read, from, to);
        int32_t least = 100000;
        for (int h = 0; h < w->n_haplotypes; h++) {
            costs[h] = read_cost(reads, read, &placement, w, &w->haplotypes[h], from, to, 0);
            if (costs[h] < least) least = costs[h];
        }
        if (least > MISFIT) {
            least = 100000;
            for (int h = 0; h < w->n_haplotypes; h++) {
                costs[h] = read_cost(reads, read, &placement, w, &w->haplotypes[h], from, to, 1);
                if (costs[h] < least) least = costs[h];
            }
        }
        w->misfit[i] = least > MISFIT;
        int32_t most = least + most_cost(read);
        for (int h = 0; h < w->n_haplotypes; h++)
            if (costs[h] > most) costs[h] = most;
    }
}

/* Costs by what the alignments show at one position: for lone SNVs, and for everything when realignment is off.
 * Haplotypes are the reference and each event by itself. */
static void count_alignments(const Evidence *e, const Reads *reads, Window *w)
{
    w->n_haplotypes = w->n_events + 1;
    for (int h = 0; h < w->n_haplotypes; h++) {
        memset(&w->haplotypes[h], 0, sizeof(Haplotype));
        w->haplotypes[h].events = h ? 1u << (h - 1) : 0;
    }
    for (int i = 0; i < w->n_reads; i++) {
        const Read *read = &reads->reads[w->reads[i]];
        int32_t *costs = w->costs + (size_t)i * MAX_HAPLOTYPES;
        int32_t most = most_cost(read);
        w->misfit[i] = 0;
        for (int h = 0; h < w->n_haplotypes; h++) costs[h] = 0;
        for (int k = 0; k < w->n_events; k++) {
            const Event *event = &e->events[w->event[k]];
            int inside, shown = -1;
            int32_t cost = MOST_COST;
            if (event->kind == SNV) {
                int32_t query = locate(reads, read, event->position, &inside);
                if (query >= 0) {
                    uint8_t base = reads->bases[read->sequence + query];
                    cost = mismatch_cost(reads->qualities[read->sequence + query]);
                    if (base == event->alternate) shown = 1;
                    else shown = 0;
                }
            } else {
                const int32_t *support = e->support + event->first_support;
                if (read->position < event->position && read->end > event->right) shown = 0;
                for (int s = 0; s < event->support; s++)
                    if (support[s] == w->reads[i]) shown = 1;
            }
            if (cost > most) cost = most;
            if (shown == 0) costs[k + 1] = cost;
            if (shown == 1)
                for (int h = 0; h < w->n_haplotypes; h++)
                    if (h != k + 1 && costs[h] < cost) costs[h] = cost;
        }
        /* a base that is neither the reference nor an event speaks against all alike */
        for (int k = 0; k < w->n_events; k++) {
            const Event *event = &e->events[w->event[k]];
            if (event->kind != SNV) continue;
            int inside;
            int32_t query = locate(reads, read, event->position, &inside);
            if (query >= 0 && reads->bases[read->sequence + query] != e->reference[event->position - e->start] && costs[0] == 0)
                costs[0] = costs[k + 1];
        }
    }
}

/* ---- from costs to likelihoods and features -------------------------------------------------------------------- */

static void genotype_likelihoods(const Window *w, int k, const int64_t *pairs, float *likelihoods)
{
    int64_t best[3] = {INT64_MAX, INT64_MAX, INT64_MAX};
    int n = w->n_haplotypes;
    for (int a = 0; a < n; a++)
        for (int b = a; b < n; b++) {
            int copies = (int)(w->haplotypes[a].events >> k & 1) + (int)(w->haplotypes[b].events >> k & 1);
            if (pairs[a * n + b] < best[copies]) best[copies] = pairs[a * n + b];
        }
    int64_t least = best[0];
    for (int c = 1; c < 3; c++)
        if (best[c] < least) least = best[c];
    for (int c = 0; c < 3; c++) {
        double value = best[c] == INT64_MAX ? 1000.0 : (double)(best[c] - least) / SCALE;
        likelihoods[c] = (float)(value > 1000.0 ? 1000.0 : value);
    }
}

static void score_pairs(const Window *w, const uint32_t *other_events, int64_t *pairs)
{
    int n = w->n_haplotypes;
    for (int a = 0; a < n; a++)
        for (int b = a; b < n; b++) {
            int64_t sum = (int64_t)SCALE * EVENT_COST * (bits(w->haplotypes[a].events & *other_events) + bits(w->haplotypes[b].events & *other_events));
            for (int i = 0; i < w->n_reads; i++) {
                const int32_t *costs = w->costs + (size_t)i * MAX_HAPLOTYPES;
                int32_t x = costs[a], y = costs[b];
                if (a == b) {
                    sum += (int64_t)SCALE * x;
                    continue;
                }
                int32_t least = x < y ? x : y, difference = x < y ? y - x : x - y;
                sum += (int64_t)SCALE * least + 771 - log_sum(difference);
            }
            pairs[a * n + b] = sum;
        }
}

typedef struct {
    double n, forward, llr, most_llr, quality, most_quality, mapping, distance, most_distance, mismatches, clipped, proper;
} Group;

static void add_to(Group *g, double llr, double quality, const Read *read, double distance, double mismatches)
{
    g->n++;
    g->forward += !read->reverse;
    g->llr += llr;
    if (llr > g->most_llr) g->most_llr = llr;
    g->quality += quality;
    if (quality > g->most_quality) g->most_quality = quality;
    g->mapping += read->mapping_quality;
    g->distance += distance;
    if (distance > g->most_distance) g->most_distance = distance;
    g->mismatches += mismatches;
    g->clipped += read->left_clip + read->right_clip > 4;
    g->proper += read->proper;
}

static double mean(double sum, double n) { return n > 0 ? sum / n : 0; }

static uint8_t byte_of(double value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5); }

typedef struct {
    int32_t llr, read, quality, distance, mismatches;
} Row;

static int by_llr(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    if (x->llr != y->llr) return x->llr > y->llr ? -1 : 1;
    return x->read < y->read ? -1 : 1;
}

/* The rows that a read-level network sees: at most e->rows, spread evenly over the reads sorted by their evidence. */
static void write_rows(Evidence *e, const Reads *reads, int index, Row *rows, int n)
{
    qsort(rows, (size_t)n, sizeof(Row), by_llr);
    uint8_t *out = e->read_rows + (size_t)index * e->rows * READ_CHANNELS;
    int wanted = n < e->rows ? n : e->rows;
    for (int i = 0; i < wanted; i++) {
        const Row *row = &rows[(int64_t)i * n / wanted];
        if (e->row_reads) e->row_reads[(size_t)index * e->rows + i] = row->read;
        const Read *read = &reads->reads[row->read];
        uint8_t *channel = out + i * READ_CHANNELS;
        channel[0] = 255; /* a read is here */
        channel[1] = byte_of(128 + 2.5 * (row->llr > 50 ? 50 : row->llr < -50 ? -50 : row->llr));
        channel[2] = byte_of(row->quality * 5);
        channel[3] = byte_of(read->mapping_quality * 4);
        channel[4] = read->reverse ? 255 : 0;
        channel[5] = byte_of(row->distance * 4);
        channel[6] = byte_of(row->mismatches * 25);
        channel[7] = byte_of((read->left_clip + read->right_clip) * 5);
        channel[8] = read->proper ? 255 : 0;
        channel[9] = byte_of(read->length * 0.8);
    }
}

static void repeat_context(const Evidence *e, const Event *event, float *homopolymer, float *unit, float *tract)
{
    int32_t at = event->position - e->start, size = e->end - e->start;
    const uint8_t *s = e->reference;
    *homopolymer = 1;
    *unit = 1;
    *tract = 1;
    for (int u = 1; u <= 6; u++) {
        int32_t best = 0;
        for (int32_t anchor = at - 1; anchor <= at + 1; anchor++) { /* the base before, at and after */
            if (anchor < u || anchor + u >= size) continue;
            int32_t a = anchor, b = anchor;
            while (a - u >= 0 && s[a - 1] == s[a - 1 + u] && s[a - 1] < 4 && b - a < 200) a--;
            while (b + u < size && s[b] == s[b + u] && s[b] < 4 && b - a < 200) b++;
            int32_t length = b - a + u;
            if (b > a && length > best) best = length;
        }
        if (u == 1) *homopolymer = (float)(best > 1 ? best : 1);
        if (best >= 2 * u && (float)best > *tract + (u > 1 ? u : 0)) {
            *tract = (float)best;
            *unit = (float)u;
        }
    }
}

/* Keeps the window in which event k was judged, for whoever wants to see why. */
static int keep_trace(Evidence *e, const Window *w, int k)
{
    Trace *t = &e->traces[w->event[k]];
    size_t bases = 0, reads = (size_t)w->n_reads, width = (size_t)w->n_haplotypes;
    for (int h = 0; h < w->n_haplotypes; h++) bases += (size_t)w->haplotypes[h].length;
    *t = (Trace){.from = w->first, .to = w->last, .span_from = w->from, .span_to = w->to, .realigned = w->realigned};
    t->n_events = w->n_events;
    t->n_reads = w->n_reads;
    t->n_haplotypes = w->n_haplotypes;
    t->event = k;
    for (int j = 0; j < w->n_events; j++) t->events[j] = e->events[w->event[j]];
    t->bases = malloc(bases + 1);
    t->reads = malloc(reads * sizeof(int32_t) + 1);
    t->costs = malloc(reads * width * sizeof(int32_t) + 1);
    if (!t->bases || !t->reads || !t->costs) return -1;
    memcpy(t->reads, w->reads, reads * sizeof(int32_t));
    for (size_t i = 0; i < reads; i++) memcpy(t->costs + i * width, w->costs + i * MAX_HAPLOTYPES, width * sizeof(int32_t));
    bases = 0;
    for (int h = 0; h < w->n_haplotypes; h++) {
        t->carried[h] = w->haplotypes[h].events;
        t->lengths[h] = w->haplotypes[h].length;
        if (t->lengths[h]) memcpy(t->bases + bases, w->haplotypes[h].bases, (size_t)t->lengths[h]);
        bases += (size_t)t->lengths[h];
    }
    return 0;
}

void traces_free(Trace *traces, int32_t n)
{
    for (int32_t i = 0; traces && i < n; i++) {
        free(traces[i].bases);
        free(traces[i].reads);
        free(traces[i].costs);
    }
    free(traces);
}

static int conclude(Evidence *e, const Reads *reads, Window *w, int k)
{
    int index = w->event[k];
    const Event *event = &e->events[index];
    int n_haplotypes = w->n_haplotypes;
    int64_t pairs[MAX_HAPLOTYPES * MAX_HAPLOTYPES];
    uint32_t others = ~(1u << k);
    score_pairs(w, &others, pairs);
    float *f = e->features + (size_t)index * N_FEATURES, *gl = e->likelihoods + (size_t)index * 3;
    genotype_likelihoods(w, k, pairs, gl);
    if (e->traces && keep_trace(e, w, k)) return -1;

    uint32_t same_site = 0; /* other events whose record has the same position */
    for (int j = 0; j < w->n_events; j++) {
        const Event *other = &e->events[w->event[j]];
        if (j != k && other->position == event->position && (other->kind == SNV) == (event->kind == SNV)) same_site |= 1u << j;
    }
    Row *rows = malloc((size_t)(w->n_reads + 1) * sizeof(Row));
    int32_t *starts = malloc((size_t)(w->n_reads + 1) * sizeof(int32_t));
    if (!rows || !starts) {
        free(rows);
        free(starts);
        return -1;
    }
    Group alt, ref, all;
    memset(&alt, 0, sizeof(alt));
    memset(&ref, 0, sizeof(ref));
    memset(&all, 0, sizeof(all));
    int n_other = 0, n_unsure = 0, n_misfit = 0, n_rows = 0, n_starts = 0;
    double lengths = 0;
    int32_t anchor = event->kind == SNV ? event->position : event->position - 1;
    for (int i = 0; i < w->n_reads; i++) {
        const Read *read = &reads->reads[w->reads[i]];
        const int32_t *costs = w->costs + (size_t)i * MAX_HAPLOTYPES;
        int32_t with = 100000, without = 100000, best = 0;
        for (int h = 0; h < n_haplotypes; h++) {
            if (w->haplotypes[h].events >> k & 1) {
                if (costs[h] < with) with = costs[h];
            } else if (costs[h] < without) {
                without = costs[h];
            }
            if (costs[h] < costs[best]) best = h;
        }
        int32_t llr = without - with;
        int inside;
        int32_t query = locate(reads, read, anchor, &inside);
        int quality = query >= 0 ? reads->qualities[read->sequence + query] : 0;
        if (llr == 0 && (!inside || quality == 0)) continue; /* does not reach the event, or its mate speaks for it */
        if (query < 0) query = inside ? read->length / 2 : anchor < read->position ? read->left_clip : read->length - 1 - read->right_clip;
        int32_t distance = query < read->length - 1 - query ? query : read->length - 1 - query;
        int32_t mismatches = read->mismatches - (llr > 0);
        if (mismatches < 0) mismatches = 0;
        if (distance > 60) distance = 60;
        rows[n_rows++] = (Row){llr, w->reads[i], quality, distance, mismatches};
        lengths += read->length;
        n_misfit += w->misfit[i];
        add_to(&all, llr, quality, read, distance, mismatches);
        if (llr >= CLEAR) {
            add_to(&alt, llr, quality, read, distance, mismatches);
            int32_t start = (read->reverse ? read->end : read->position) * 2 + read->reverse, j = 0;
            while (j < n_starts && starts[j] != start) j++;
            if (j == n_starts) starts[n_starts++] = start;
        } else if (llr <= -CLEAR) {
            if (w->haplotypes[best].events & same_site) n_other++;
            else add_to(&ref, -llr, quality, read, distance, mismatches);
        } else {
            n_unsure++;
        }
    }
    e->counts[index * 3] = (int32_t)ref.n;
    e->counts[index * 3 + 1] = (int32_t)alt.n;
    e->counts[index * 3 + 2] = n_other + n_unsure;

    int32_t at = event->position - e->start, size = e->end - e->start;
    int32_t low = at > 250 ? at - 250 : 0, high = at + 250 < size ? at + 250 : size;
    double around = (double)(e->depth_sum[high] - e->depth_sum[low]) / (high - low);
    int32_t near_low = at > 50 ? at - 50 : 0, near_high = at + 50 < size ? at + 50 : size;
    double noise = (double)(e->disagreeing_sum[near_high] - e->disagreeing_sum[near_low]) - (event->kind == SNV ? alt.n : 0);
    noise /= (double)(e->depth_sum[near_high] - e->depth_sum[near_low]) + 1;
    double informative = alt.n + ref.n + n_other;
    double strand = mean(alt.forward, alt.n) - mean(all.forward, all.n);
    int within_20 = 0, within_100 = 0, nearest = 100, other_support = 0;
    for (int side = -1; side <= 1; side += 2)
        for (int j = index + side; j >= 0 && j < e->n_events; j += side) {
            const Event *other = &e->events[j];
            int32_t apart = other->position > event->position ? other->position - event->position : event->position - other->position;
            if (apart > 100) break;
            within_100++;
            within_20 += apart <= 20;
            if (apart < nearest) nearest = apart;
            if (apart <= 1 && other->support > other_support) other_support = other->support;
        }
    double gc = 0;
    for (int32_t p = at - 20; p <= at + 20; p++)
        if (p >= 0 && p < size) gc += e->reference[p] == 1 || e->reference[p] == 2;
    uint8_t penalties[64];
    int32_t window = at > 32 ? at - 32 : 0, window_length = window + 64 > size ? size - window : 64;
    gap_open_penalties(e->reference + window, window_length, penalties);
    int length = event->kind == SNV ? 1 : event->reference_length + event->alternate_length;
    float homopolymer, unit, tract;
    repeat_context(e, event, &homopolymer, &unit, &tract);
    int reference_base = e->reference[at];
    int n = 0;
#define FEATURE(value) f[n++] = (float)(value)
    FEATURE(gl[0]);
    FEATURE(gl[1]);
    FEATURE(gl[2]);
    FEATURE(alt.n);
    FEATURE(ref.n);
    FEATURE(n_other);
    FEATURE(n_unsure);
    FEATURE(mean(alt.n, informative));
    FEATURE(mean(alt.forward, alt.n));
    FEATURE(mean(ref.forward, ref.n));
    FEATURE(strand * strand * alt.n);
    FEATURE(mean(alt.llr, alt.n));
    FEATURE(alt.most_llr);
    FEATURE(mean(ref.llr, ref.n));
    FEATURE(mean(alt.quality, alt.n));
    FEATURE(alt.most_quality);
    FEATURE(mean(ref.quality, ref.n));
    FEATURE(mean(alt.mapping, alt.n));
    FEATURE(mean(ref.mapping, ref.n));
    FEATURE(mean(e->low_depth[at], e->low_depth[at] + e->depth[at]));
    FEATURE(mean(alt.distance, alt.n));
    FEATURE(mean(ref.distance, ref.n));
    FEATURE(alt.most_distance);
    FEATURE(mean(alt.mismatches, alt.n));
    FEATURE(mean(ref.mismatches, ref.n));
    FEATURE(mean(alt.clipped, alt.n));
    FEATURE(mean(ref.clipped, ref.n));
    FEATURE(mean(alt.proper, alt.n));
    FEATURE(n_starts);
    FEATURE(event->kind == SNV);
    FEATURE(event->kind == INSERTION);
    FEATURE(event->kind == DELETION);
    FEATURE(length);
    FEATURE(homopolymer);
    FEATURE(unit);
    FEATURE(tract);
    FEATURE(event->kind != SNV && length % (int)unit == 0);
    FEATURE(event->right - event->position);
    FEATURE(penalties[at - window]);
    FEATURE(n_rows);
    FEATURE(around > 0 ? e->depth[at] / around : 0);
    FEATURE(within_20);
    FEATURE(within_100);
    FEATURE(nearest);
    FEATURE(other_support);
    FEATURE(n_haplotypes);
    FEATURE(mean(n_misfit, n_rows));
    FEATURE(event->support ? event->support : alt.n);
    FEATURE(noise);
    FEATURE(mean(lengths, n_rows));
    FEATURE(mean(all.quality, all.n));
    FEATURE(event->kind == SNV && (reference_base ^ event->alternate) == 2);
    FEATURE(gc / 41);
    FEATURE(alt.llr);
    FEATURE(w->realigned);
    FEATURE(around);
    FEATURE(event->assembled);
#undef FEATURE
    if (e->read_rows) write_rows(e, reads, index, rows, n_rows);
    free(rows);
    free(starts);
    return 0;
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

static int score_window(Evidence *e, const Reads *reads, Window *w, int target, int realigned, int32_t before, int32_t after)
{
    w->from = INT32_MAX;
    w->to = 0;
    for (int k = 0; k < w->n_events; k++) {
        const Event *event = &e->events[w->event[k]];
        int32_t from = event->kind == SNV ? event->position : event->position - 1;
        if (from < w->from) w->from = from;
        if (event->right > w->to) w->to = event->right;
    }
    if (realigned) repeat_span(e, &w->from, &w->to);
    w->realigned = realigned;
    if (find_reads(e, reads, w)) return -1;
    int status = 0;
    if (realigned) {
        int32_t from = w->from - FLANK, to = w->to + FLANK;
        if (from < before) from = before;
        if (to > after) to = after;
        if (from < e->start) from = e->start;
        if (to > e->end) to = e->end;
        w->first = from;
        w->last = to;
        status = make_haplotypes(e, reads, w, from, to);
        if (!status) realign(reads, w, from, to);
    } else {
        count_alignments(e, reads, w);
    }
    for (int k = 0; k < w->n_events && !status; k++)
        if (target < 0 || w->event[k] == target) status = conclude(e, reads, w, k);
    if (realigned) drop_haplotypes(w);
    w->n_haplotypes = 0;
    return status;
}

static int32_t apart(const Event *a, const Event *b)
{
    return a->position < b->position ? b->position - a->position : a->position - b->position;
}

/* The events of first..last that are judged with `target`: those of assembled haplotypes, or where there are none
 * the nearest, no farther than FLANK - 20. */
static void choose_neighbours(const Evidence *e, Window *w, int target, int first, int last)
{
    const Event *event = &e->events[target];
    int low = target, high = target;
    int assembled = 0;
    uint8_t chosen[2 * MAX_EVENTS + 1] = {0};
    while (assembled < MAX_EVENTS - 1 && (low > first || high < last) && low > target - MAX_EVENTS && high < target + MAX_EVENTS) {
        int32_t left = low > first ? apart(&e->events[low - 1], event) : INT32_MAX;
        int32_t right = high < last ? apart(&e->events[high + 1], event) : INT32_MAX;
        if ((left < right ? left : right) > NEAR) break;
        int next = left <= right ? --low : ++high;
        if (!e->events[next].assembled) continue;
        chosen[next - target + MAX_EVENTS] = 1;
        assembled++;
    }
    if (!assembled) {
        low = high = target;
        while (high - low < NEIGHBOURS) {
            int32_t left = low > first ? apart(&e->events[low - 1], event) : INT32_MAX;
            int32_t right = high < last ? apart(&e->events[high + 1], event) : INT32_MAX;
            if ((left < right ? left : right) > FLANK - 20) break;
            chosen[(left <= right ? --low : ++high) - target + MAX_EVENTS] = 1;
        }
    }
    chosen[MAX_EVENTS] = 1;
    w->n_events = 0;
    for (int i = low; i <= high; i++)
        if (chosen[i - target + MAX_EVENTS]) w->event[w->n_events++] = i;
}

int evidence_score(Evidence *e, const Reads *reads, const Options *options, int32_t rows)
{
    size_t n = (size_t)e->n_events;
    e->rows = rows;
    e->features = calloc(n * N_FEATURES + 1, sizeof(float));
    e->likelihoods = calloc(n * 3 + 1, sizeof(float));
    e->counts = calloc(n * 3 + 1, sizeof(int32_t));
    e->read_rows = rows ? calloc(n * (size_t)rows * READ_CHANNELS + 1, 1) : NULL;
    if (options->details) { /* with room for the given events, which are scored later */
        size_t all = n + (size_t)e->n_given;
        e->row_reads = malloc(all * (size_t)rows * sizeof(int32_t) + 1);
        e->traces = calloc(all + 1, sizeof(Trace));
        if (!e->row_reads || !e->traces) return -1;
        for (size_t i = 0; i < all * (size_t)rows; i++) e->row_reads[i] = -1;
    }
    Window w;
    memset(&w, 0, sizeof(w));
    int32_t longest = 1;
    for (int32_t r = 0; r < reads->n_reads; r++)
        if (reads->reads[r].length > longest) longest = reads->reads[r].length;
    w.base_costs = malloc((size_t)longest);
    w.work = malloc((size_t)(2 * longest + 4) * sizeof(int32_t));
    int status = -1;
    if (!e->features || !e->likelihoods || !e->counts || (rows && !e->read_rows) || !w.base_costs || !w.work) goto done;

    int32_t indel_end = e->start; /* end of the last indel of the windows before: flanks stop short of it */
    for (int i = 0, j; i < e->n_events; i = j) {
        int32_t end = e->events[i].right, begin = e->events[i].position;
        int has_indel = e->events[i].kind != SNV;
        int32_t reach = end, ignored = begin;
        repeat_span(e, &ignored, &reach);
        for (j = i + 1; j < e->n_events && e->events[j].position - 1 <= reach + JOIN; j++) {
            if (e->events[j].right > end) end = e->events[j].right;
            if (end > reach) reach = end;
            repeat_span(e, &ignored, &reach);
            has_indel |= e->events[j].kind != SNV;
        }
        int32_t after = e->end;
        for (int k = j; k < e->n_events && e->events[k].position < end + FLANK + 10; k++)
            if (e->events[k].kind != SNV) {
                after = e->events[k].position - 2;
                break;
            }
        int failed = 0;
        if (!has_indel || !options->realign) {
            for (int k = i; k < j && !failed;) { /* alleles of one position together */
                w.n_events = 0;
                int32_t position = e->events[k].position;
                while (k < j && e->events[k].position == position && w.n_events < MAX_EVENTS) w.event[w.n_events++] = k++;
                failed = score_window(e, reads, &w, -1, 0, 0, 0);
            }
        } else if (j - i <= MOST_JOINT && end - begin <= LONGEST) {
            w.n_events = 0;
            for (int k = i; k < j; k++) w.event[w.n_events++] = k;
            failed = score_window(e, reads, &w, -1, 1, indel_end + 2, after);
        } else {
            for (int k = i; k < j && !failed; k++) {
                choose_neighbours(e, &w, k, i, j - 1);
                failed = score_window(e, reads, &w, k, 1, indel_end + 2, after);
            }
        }
        if (failed) goto done;
        if (has_indel && end > indel_end) indel_end = end;
    }
    status = 0;
done:
    free(w.reads);
    free(w.costs);
    free(w.misfit);
    free(w.base_costs);
    free(w.work);
    return status;
}
