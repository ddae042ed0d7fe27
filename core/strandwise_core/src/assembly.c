/* Local assembly: haplotypes of a region from its reads, where single alignments do not show what happened.
 *
 * Around candidate insertions and deletions, crowded differences and clipped reads, haplotypes come from two sources:
 * paths through a de Bruijn graph of the reads (Pevzner et al. 2001, An Eulerian path approach to DNA fragment assembly;
 * as in GATK's HaplotypeCaller the smallest k without a cycle is taken, weak edges are pruned, and paths are ranked by
 * the share of reads at each branch), and reads that run through the whole region, which repeats of any kind cannot
 * confuse. Where short words make a cycle, those that repeat are told apart by what stands before them (as there): a
 * repeat then needs no word as long as itself, only a read that holds a base more on each side. Each haplotype is
 * aligned to the reference and becomes a set of events.
 */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define APART 15            /* signals no farther apart share a region */
#define LONGEST_REGION 300  /* a longer chain of signals is assembled signal by signal */
#define PAD 8               /* reference bases on each side that the haplotypes have in common */
#define ANCHOR 16           /* bases of reference on each side by which a read is known to run through */
#define SEARCH 100          /* an end of the region moves at most so far to find bases that are no candidates and occur once */
#define SHORTEST_CLIP 6     /* shorter clips are no signal */
#define CLIP_REACH 20       /* bases in which the change is sought that made aligners clip */
#define LEAST_WEIGHT 2      /* reads that an edge of the graph needs, unless it is the reference's */
#define WEAK 20             /* an edge with less than one in so many of the reads at a branch is pruned */
#define MINOR 5             /* likewise where it leaves a word drawn out; there one read is enough, for few span a repeat */
#define PATHS 8             /* paths kept at each node */
#define MOST_FOUND 12       /* haplotypes of a region */
#define LONGEST_HAPLOTYPE 600

/* Lengths of words, tried in turn: as they are at first, then with those drawn out that repeat. */
static const int WORD_LENGTHS[] = {21, 21, 35, 49, 65, 85, 105};

typedef struct {
    int32_t from, to;
} Span;

typedef struct {
    const uint8_t *word;
    uint64_t hash;
    int32_t length; /* of the word */
    int32_t next[4], weight[4];
    uint8_t reference[4]; /* the edge is the reference's */
    uint8_t state, reaches_end;
    uint8_t drawn_out; /* the word repeats, and goes back to one that does not */
    int32_t first_path;
    int32_t seen_in; /* while words are counted: the last sequence that held it */
} Node;

typedef struct {
    int32_t cost, node, previous;
} Path;

typedef struct {
    uint8_t bases[LONGEST_HAPLOTYPE];
    int32_t length, from, to, reads;
} Found;

typedef struct {
    Node *nodes;
    int32_t n_nodes, nodes_room, n_reference; /* the reference's nodes come first */
    int32_t *table;
    int64_t table_size;
    int32_t *stack, *order;
    Path *paths;
    int32_t nodes_sized; /* nodes for which stack, order and paths have room */
    uint64_t *repeated;  /* hashes of the words that occur twice in one sequence, sorted */
    int32_t n_repeated, repeated_room;
    int32_t *reads;
    int32_t n_reads, reads_room;
    Found *found;
    int32_t n_found;
    Aligner aligner;
} Assembler;

/* ---- the graph -------------------------------------------------------------------------------------------------- */

static const uint64_t HASH_BASE = 0x9E3779B97F4A7C15ULL;

static int32_t node_of(Assembler *a, const uint8_t *word, int length, uint64_t hash)
{
    int64_t slot = (int64_t)((hash ^ hash >> 29) & (uint64_t)(a->table_size - 1));
    for (; a->table[slot] >= 0; slot = (slot + 1) & (a->table_size - 1)) {
        const Node *node = &a->nodes[a->table[slot]];
        if (node->hash == hash && node->length == length && !memcmp(node->word, word, (size_t)length)) return a->table[slot];
    }
    if (make_room((void **)&a->nodes, a->n_nodes + 1, &a->nodes_room, 0, sizeof(Node))) return -1;
    Node *node = &a->nodes[a->n_nodes];
    memset(node, 0, sizeof(Node));
    node->word = word;
    node->length = length;
    node->hash = hash;
    for (int b = 0; b < 4; b++) node->next[b] = -1;
    a->table[slot] = a->n_nodes;
    return a->n_nodes++;
}

static int by_hash(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

/* Does something with a stretch of bases that are all known; `sequence`: 0 for the reference, else the number of the read. */
typedef int (*Step)(Assembler *a, const uint8_t *bases, int length, int k, int32_t sequence);

static uint64_t power_of(int k)
{
    uint64_t power = 1;
    for (int i = 0; i < k; i++) power *= HASH_BASE;
    return power;
}

/* Finds the words that occur twice in one sequence; returns 0 or -1. */
static int count_words(Assembler *a, const uint8_t *bases, int length, int k, int32_t sequence)
{
    uint64_t hash = 0, power = power_of(k);
    for (int i = 0; i < length; i++) {
        hash = hash * HASH_BASE + bases[i] + 1;
        if (i >= k) hash -= power * (uint64_t)(bases[i - k] + 1);
        if (i < k - 1) continue;
        int32_t here = node_of(a, bases + i - k + 1, k, hash);
        if (here < 0) return -1;
        Node *node = &a->nodes[here];
        if (node->seen_in == sequence + 1 && !node->drawn_out) {
            node->drawn_out = 1;
            if (make_room((void **)&a->repeated, a->n_repeated + 1, &a->repeated_room, 0, sizeof(uint64_t))) return -1;
            a->repeated[a->n_repeated++] = hash;
        }
        node->seen_in = sequence + 1;
    }
    return 0;
}

static int is_repeated(const Assembler *a, uint64_t hash)
{
    return a->n_repeated && bsearch(&hash, a->repeated, (size_t)a->n_repeated, sizeof(uint64_t), by_hash);
}

/* Adds the words of a stretch; returns 0, 1 where the reference repeats a word, -1. A word known to be repeated tells
 * nothing about where it lies: it is drawn out to the left until it begins with one that is not. */
static int add_words(Assembler *a, const uint8_t *bases, int length, int k, int32_t sequence)
{
    uint64_t hash = 0, power = power_of(k);
    int32_t last = -1;
    for (int i = 0; i < length; i++) {
        hash = hash * HASH_BASE + bases[i] + 1;
        if (i >= k) hash -= power * (uint64_t)(bases[i - k] + 1);
        if (i < k - 1) continue;
        int drawn_out = is_repeated(a, hash), size = k;
        uint64_t whole = hash;
        if (drawn_out) {
            if (last < 0) continue;
            size = a->nodes[last].length + 1;
            whole = a->nodes[last].hash * HASH_BASE + bases[i] + 1;
        }
        int32_t before = a->n_nodes, here = node_of(a, bases + i - size + 1, size, whole);
        if (here < 0) return -1;
        a->nodes[here].drawn_out = (uint8_t)drawn_out;
        if (!sequence && here != before) return 1;
        if (last >= 0) {
            Node *node = &a->nodes[last];
            node->next[bases[i]] = here;
            if (!sequence) node->reference[bases[i]] = 1;
            else node->weight[bases[i]]++;
        }
        last = here;
    }
    return 0;
}

static int keeps(const Node *node, int b)
{
    if (node->next[b] < 0 || node->weight[b] == 0) return 0;
    int32_t total = node->weight[0] + node->weight[1] + node->weight[2] + node->weight[3];
    if (node->drawn_out) return node->weight[b] * MINOR >= total;
    if (node->weight[b] * WEAK < total) return 0;
    return node->reference[b] || node->weight[b] >= LEAST_WEIGHT;
}

/* 256 x the binary logarithm, by repeated squaring, so that it is the same on every machine. */
static int32_t binary_logarithm(uint32_t x)
{
    int32_t whole = 31 - __builtin_clz(x), result = whole * 256;
    uint64_t y = ((uint64_t)x << 32) >> whole >> 16; /* 1..2 with 16 binary places */
    for (int32_t bit = 128; bit; bit /= 2) {
        y = y * y >> 16;
        if (y >= 1u << 17) {
            y /= 2;
            result += bit;
        }
    }
    return result;
}

/* Orders the nodes between source and sink so that edges run forward; returns their number, or -1 where there is a cycle
 * or no way. The sink comes first. */
static int32_t ordered(Assembler *a, int32_t source, int32_t sink)
{
    /* depth first; a node's state: 0 new, 1 on the way, 2 done */
    int32_t depth = 0, n = 0;
    a->stack[depth++] = source;
    a->nodes[source].state = 1;
    a->nodes[sink].reaches_end = 1;
    uint8_t cycle = 0;
    while (depth) {
        int32_t here = a->stack[depth - 1];
        Node *node = &a->nodes[here];
        int32_t child = -1;
        if (here != sink)
            for (int b = 0; b < 4; b++) {
                if (!keeps(node, b)) continue;
                Node *next = &a->nodes[node->next[b]];
                if (next->state == 0) {
                    child = node->next[b];
                    break;
                }
            }
        if (child >= 0) {
            a->nodes[child].state = 1;
            a->stack[depth++] = child;
            continue;
        }
        if (here != sink)
            for (int b = 0; b < 4; b++) {
                if (!keeps(node, b)) continue;
                const Node *next = &a->nodes[node->next[b]];
                if (next->state == 1) cycle = 1; /* counts even in a dead end: rare, and a longer word settles it */
                node->reaches_end |= next->reaches_end;
            }
        node->state = 2;
        a->order[n++] = here;
        depth--;
    }
    return cycle || !a->nodes[source].reaches_end ? -1 : n;
}

static void add_path(Path *paths, int32_t cost, int32_t node, int32_t previous)
{
    int at = PATHS;
    while (at > 0 && (paths[at - 1].previous == -2 || paths[at - 1].cost > cost)) at--;
    if (at == PATHS) return;
    memmove(paths + at + 1, paths + at, (size_t)(PATHS - 1 - at) * sizeof(Path));
    paths[at] = (Path){cost, node, previous};
}

static void add_found(Assembler *a, const uint8_t *bases, int32_t length, int32_t from, int32_t to, int32_t reads)
{
    if (length > LONGEST_HAPLOTYPE) return;
    if (a->n_found == MOST_FOUND) return;
    Found *found = &a->found[a->n_found++];
    memcpy(found->bases, bases, (size_t)length);
    found->length = length;
    found->from = from;
    found->to = to;
    found->reads = reads;
}

/* The best paths from source to sink become haplotypes, without the words at both ends. */
static void follow_paths(Assembler *a, int32_t source, int32_t sink, int32_t n, int k, int32_t from, int32_t to)
{
    for (int32_t i = 0; i < n; i++) {
        a->nodes[a->order[i]].first_path = i * PATHS;
        for (int p = 0; p < PATHS; p++) a->paths[i * PATHS + p].previous = -2;
    }
    a->paths[a->nodes[source].first_path] = (Path){0, source, -1};
    for (int32_t i = n - 1; i >= 0; i--) {
        const Node *node = &a->nodes[a->order[i]];
        if (a->order[i] == sink || !node->reaches_end) continue;
        uint32_t total = 0;
        for (int b = 0; b < 4; b++)
            if (keeps(node, b) && a->nodes[node->next[b]].reaches_end) total += (uint32_t)node->weight[b];
        for (int b = 0; b < 4; b++) {
            if (!keeps(node, b) || !a->nodes[node->next[b]].reaches_end) continue;
            int32_t cost = binary_logarithm(total) - binary_logarithm((uint32_t)node->weight[b]);
            for (int p = 0; p < PATHS; p++) {
                const Path *path = &a->paths[node->first_path + p];
                if (path->previous == -2) break;
                add_path(a->paths + a->nodes[node->next[b]].first_path, path->cost + cost, node->next[b], node->first_path + p);
            }
        }
    }
    for (int p = 0; p < PATHS; p++) {
        uint8_t bases[LONGEST_HAPLOTYPE];
        int32_t length = 0, at = a->nodes[sink].first_path + p;
        if (a->paths[at].previous == -2) break;
        for (; at >= 0 && length < LONGEST_HAPLOTYPE; at = a->paths[at].previous) {
            const Node *node = &a->nodes[a->paths[at].node];
            bases[length++] = node->word[node->length - 1];
        }
        if (at >= 0) continue; /* too long */
        /* backwards: the last base of every word; the source's own base is the one before the region, the sink's k are beyond */
        length--;
        for (int32_t i = 0, j = length - 1; i < j; i++, j--) {
            uint8_t swap = bases[i];
            bases[i] = bases[j];
            bases[j] = swap;
        }
        if (length >= k) add_found(a, bases, length - k, from, to, 0);
    }
}

static int grow(Assembler *a)
{
    if (a->n_nodes <= a->nodes_sized) return 0;
    int32_t size = a->nodes_room;
    free(a->stack);
    free(a->order);
    free(a->paths);
    a->nodes_sized = 0;
    a->stack = malloc((size_t)size * sizeof(int32_t));
    a->order = malloc((size_t)size * sizeof(int32_t));
    a->paths = malloc((size_t)size * PATHS * sizeof(Path));
    if (!a->stack || !a->order || !a->paths) return -1;
    a->nodes_sized = size;
    return 0;
}

static int repeats(const Assembler *a, const uint8_t *word, int k)
{
    uint64_t hash = 0;
    for (int i = 0; i < k; i++) hash = hash * HASH_BASE + word[i] + 1;
    return is_repeated(a, hash);
}

/* Takes a step with the reference from `begin` to `end` and with the reads' stretches there; returns what a step that fails does. */
static int take_all(const Evidence *e, const Reads *reads, Assembler *a, int32_t begin, int32_t end, int k, int least, Step step)
{
    memset(a->table, 0xff, (size_t)a->table_size * sizeof(int32_t));
    a->n_nodes = 0;
    int status = step(a, e->reference + (begin - e->start), end - begin, k, 0);
    a->n_reference = a->n_nodes;
    for (int i = 0; i < a->n_reads && !status; i++) {
        const Read *read = &reads->reads[a->reads[i]];
        const uint8_t *bases = reads->bases + read->sequence, *qualities = reads->qualities + read->sequence;
        /* bases far from the region are left out; 60 more than the region, for gaps shift them */
        int32_t first = begin - 60 - (read->position - read->left_clip), beyond = read->end + read->right_clip - (end + 60);
        int last = read->length - (beyond > 0 ? beyond : 0);
        for (int at = first > 0 ? first : 0; at < last && !status;) {
            int stop = at;
            /* a poor base ends a stretch, unless it goes on with a repeat */
            while (stop < last && bases[stop] < 4 &&
                   (qualities[stop] >= least || (step == add_words && stop - at >= k && repeats(a, bases + stop - k + 1, k))))
                stop++;
            if (stop - at > k) status = step(a, bases + at, stop - at, k, i + 1);
            at = stop + 1;
        }
    }
    return status;
}

/* Haplotypes of [from, to) by words of k bases, repeated ones drawn out or not: returns 1 where the graph has no cycle,
 * 0 where it has or no way leads through, -1 when memory is out. */
static int assemble_words(const Evidence *e, const Reads *reads, Assembler *a, int32_t from, int32_t to, int k, int least, int draw_out)
{
    int32_t begin = from - k, end = to + k;
    if (begin < e->start || end > e->end) return 0;
    for (int32_t p = begin; p < end; p++)
        if (e->reference[p - e->start] > 3) return 0;
    int64_t words = end - begin;
    for (int i = 0; i < a->n_reads; i++) words += reads->reads[a->reads[i]].length;
    int64_t size = 1024;
    while (size < 2 * words) size *= 2;
    if (size > a->table_size) {
        free(a->table);
        a->table = malloc((size_t)size * sizeof(int32_t));
        a->table_size = a->table ? size : 0;
        if (!a->table) return -1;
    }
    a->n_repeated = 0;
    if (draw_out) {
        if (take_all(e, reads, a, begin, end, k, least, count_words)) return -1;
        if (a->n_repeated) qsort(a->repeated, (size_t)a->n_repeated, sizeof(uint64_t), by_hash);
    }
    int status = take_all(e, reads, a, begin, end, k, least, add_words);
    if (status) return status < 0 ? -1 : 0;
    int32_t sink = a->n_reference - 1;
    if (a->n_reference != end - begin - k + 1 || a->nodes[sink].length > k) return 0; /* an end of the region lies in a repeat */
    if (grow(a)) return -1;
    int32_t n = ordered(a, 0, sink);
    if (n < 0) return 0;
    follow_paths(a, 0, sink, n, k, from, to);
    return 1;
}

/* ---- reads that run through -------------------------------------------------------------------------------------- */

static int32_t find_after(const uint8_t *bases, int32_t from, int32_t length, const uint8_t *anchor)
{
    for (int32_t i = from; i + ANCHOR <= length; i++)
        if (bases[i] == anchor[0] && !memcmp(bases + i, anchor, ANCHOR)) return i;
    return -1;
}

static int occurs_once(const Evidence *e, int32_t position, int32_t from, int32_t to)
{
    const uint8_t *anchor = e->reference + (position - e->start);
    for (int i = 0; i < ANCHOR; i++)
        if (anchor[i] > 3 || e->repetitive[position - e->start + i]) return 0;
    from = from < e->start ? e->start : from;
    to = to > e->end ? e->end : to;
    for (int32_t p = from; p + ANCHOR <= to; p++)
        if (p != position && !memcmp(anchor, e->reference + (p - e->start), ANCHOR)) return 0;
    return 1;
}

typedef struct {
    const uint8_t *bases;
    int32_t length, reads, good;
} Through;

#define MOST_THROUGH 64

static int by_reads(const void *x, const void *y)
{
    const Through *a = x, *b = y;
    if (a->reads != b->reads) return a->reads > b->reads ? -1 : 1;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return memcmp(a->bases, b->bases, (size_t)a->length);
}

/* What the reads show that hold both anchors, the commonest first. */
static void read_through(const Evidence *e, const Reads *reads, Assembler *a, int32_t from, int32_t to, int least)
{
    if (from - ANCHOR < e->start || to + ANCHOR > e->end) return;
    const uint8_t *left = e->reference + (from - ANCHOR - e->start), *right = e->reference + (to - e->start);
    Through through[MOST_THROUGH];
    int n = 0;
    for (int i = 0; i < a->n_reads; i++) {
        const Read *read = &reads->reads[a->reads[i]];
        const uint8_t *bases = reads->bases + read->sequence, *qualities = reads->qualities + read->sequence;
        int32_t first = find_after(bases, 0, read->length, left);
        if (first < 0 || find_after(bases, first + 1, read->length, left) >= 0) continue;
        first += ANCHOR;
        int32_t last = find_after(bases, first, read->length, right);
        if (last < 0 || find_after(bases, last + 1, read->length, right) >= 0) continue;
        int known = 1, good = 1;
        for (int32_t b = first; b < last; b++) {
            known &= bases[b] < 4 && qualities[b] > 0;
            good &= qualities[b] >= least;
        }
        if (!known) continue;
        int k = 0;
        while (k < n && (through[k].length != last - first || memcmp(through[k].bases, bases + first, (size_t)(last - first)))) k++;
        if (k == MOST_THROUGH) continue;
        if (k == n) through[n++] = (Through){bases + first, last - first, 0, 0};
        through[k].reads++;
        through[k].good |= good;
    }
    qsort(through, (size_t)n, sizeof(Through), by_reads);
    for (int i = 0; i < n && i < 6; i++) {
        if (through[i].reads < LEAST_WEIGHT && (i >= 2 || !through[i].good)) continue;
        add_found(a, through[i].bases, through[i].length, from, to, through[i].reads);
    }
}

/* ---- from haplotypes to events ----------------------------------------------------------------------------------- */

static int add_part(Evidence *e, Event event)
{
    if (make_room((void **)&e->parts, e->n_parts + 1, &e->parts_room, 0, sizeof(Event))) return -1;
    e->parts[e->n_parts++] = event;
    return 0;
}

static int add_assembled(Evidence *e, int32_t first, int32_t from, int32_t to, int32_t reads)
{
    if (make_room((void **)&e->assembled, e->n_assembled + 1, &e->assembled_room, 0, sizeof(Assembled))) return -1;
    e->assembled[e->n_assembled++] = (Assembled){first, e->n_parts - first, from, to, reads};
    return 0;
}

/* The first event at or after a position. */
static int32_t first_event(const Evidence *e, int32_t position)
{
    int32_t low = 0, high = e->n_events;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (e->events[middle].position < position) low = middle + 1;
        else high = middle;
    }
    return low;
}

#define MOST_NEAR 32

static const AlignmentCosts COSTS = {350, 360, 111};

static int32_t cost_of(const Event *event)
{
    if (event->kind == SNV) return COSTS.mismatch;
    return COSTS.gap_open + COSTS.gap_extend * (event->reference_length + event->alternate_length - 1);
}

/* Where single alignments already show a haplotype at no more than `most`, what they show: the events of one read that
 * spell it. Two spellings of one haplotype would compete. Returns 1 where it was found, 0, or -1 when memory is out. */
static int add_shown(Evidence *e, const Assembler *a, const Found *found, int32_t most)
{
    const Event *near[MOST_NEAR];
    int n_near = 0;
    int32_t from = found->from, to = found->to;
    for (int32_t i = first_event(e, from); i < e->n_events && e->events[i].position < to; i++)
        if (e->events[i].position + e->events[i].reference_length <= to) {
            if (n_near == MOST_NEAR) return 0;
            near[n_near++] = &e->events[i];
        }
    uint32_t tried[64], best = 0;
    int n_tried = 0;
    for (int r = 0; r < a->n_reads && !best && n_near; r++) {
        uint32_t shown = 0;
        for (int k = 0; k < n_near; k++)
            for (int s = near[k]->first_support; s < near[k]->first_support + near[k]->support; s++)
                if (e->support[s] == a->reads[r]) shown |= 1u << k;
        int known = !shown || n_tried == 64;
        for (int t = 0; t < n_tried && !known; t++) known = tried[t] == shown;
        if (known) continue;
        tried[n_tried++] = shown;
        const Event *chosen[MOST_NEAR];
        int n = 0;
        int32_t cost = 0;
        for (int k = 0; k < n_near; k++)
            if (shown >> k & 1) {
                cost += cost_of(near[k]);
                chosen[n++] = near[k];
            }
        uint8_t bases[LONGEST_HAPLOTYPE];
        int length = cost > most ? -1 : spell_events(e, chosen, n, from, to, bases, LONGEST_HAPLOTYPE);
        if (length == found->length && !memcmp(bases, found->bases, (size_t)length)) best = shown;
    }
    if (!best) return 0;
    int32_t first = e->n_parts;
    for (int k = 0; k < n_near; k++)
        if (best >> k & 1 && add_part(e, *near[k])) return -1;
    return add_assembled(e, first, from, to, found->reads) ? -1 : 1;
}

/* Aligns one haplotype and adds its events; the costs are those of GATK's HaplotypeCaller. */
static int add_events(Evidence *e, Assembler *a, const Found *found)
{
    int32_t from = found->from, to = found->to;
    const uint8_t *reference = e->reference + (from - e->start), *bases = found->bases;
    int32_t n = found->length, m = to - from, left = 0, right = 0;
    while (left < n && left < m && bases[left] == reference[left]) left++;
    if (left == n && left == m) return 0;
    while (right < n - left && right < m - left && bases[n - 1 - right] == reference[m - 1 - right]) right++;
    left = left > 12 ? left - 12 : 0;
    right = right > 12 ? right - 12 : 0;
    uint32_t operations[64];
    int n_operations = 0;
    if (n - left - right > LONGEST_READ || m - left - right > n - left - right + ALIGNED_REACH) return 0;
    int32_t cost = align_globally(&a->aligner, bases + left, NULL, n - left - right, reference + left, m - left - right, &COSTS,
                                  operations, &n_operations, 60);
    if (cost >= NO_ALIGNMENT) return 0;
    int shown = add_shown(e, a, found, cost + COSTS.gap_open);
    if (shown) return shown < 0 ? -1 : 0;
    /* an insertion beside a deletion becomes substitutions and what is left of the longer one */
    uint32_t steps[128];
    int n_steps = 0;
    for (int i = n_operations - 1; i >= 0; i--) {
        int op = bam_cigar_op(operations[i]), size = bam_cigar_oplen(operations[i]);
        int other = i > 0 ? bam_cigar_op(operations[i - 1]) : BAM_CMATCH;
        if (op != BAM_CMATCH && other != BAM_CMATCH) {
            int next = bam_cigar_oplen(operations[i - 1]), shared = size < next ? size : next;
            steps[n_steps++] = (uint32_t)shared << BAM_CIGAR_SHIFT | BAM_CMATCH;
            if (size > shared) steps[n_steps++] = (uint32_t)(size - shared) << BAM_CIGAR_SHIFT | (uint32_t)op;
            if (next > shared) steps[n_steps++] = (uint32_t)(next - shared) << BAM_CIGAR_SHIFT | (uint32_t)other;
            i--;
        } else {
            steps[n_steps++] = operations[i];
        }
    }
    int32_t at = from + left, query = left, first = e->n_parts, free_from = e->start; /* where the last event ends */
    for (int i = 0; i < n_steps; i++) {
        int op = bam_cigar_op(steps[i]), size = bam_cigar_oplen(steps[i]);
        Event event;
        memset(&event, 0, sizeof(event));
        if (op == BAM_CMATCH) {
            for (int j = 0; j < size; j++, at++, query++) {
                if (bases[query] == e->reference[at - e->start]) continue;
                event = (Event){at, 1, 1, bases[query], at + 1, SNV, 0, 0, 0, 0};
                if (add_part(e, event)) return -1;
                free_from = at + 1;
            }
            continue;
        }
        if (op == BAM_CINS) {
            if (make_room((void **)&e->alleles, e->n_alleles + size, &e->alleles_room, 0, 1)) return -1;
            uint8_t *inserted = e->alleles + e->n_alleles;
            memcpy(inserted, bases + query, (size_t)size);
            event.position = left_align_insertion(e, at, inserted, size, free_from + 1);
            event.kind = INSERTION;
            event.alternate_length = size;
            event.alternate = e->n_alleles;
            event.right = right_end(e, event.position, 0, inserted, size);
            e->n_alleles += size;
            query += size;
            free_from = event.position;
        } else {
            event.position = left_align_deletion(e, at, size, free_from + 1);
            event.kind = DELETION;
            event.reference_length = size;
            event.right = right_end(e, event.position, size, NULL, 0);
            at += size;
            free_from = event.position + size;
        }
        if (add_part(e, event)) return -1;
    }
    return e->n_parts == first ? 0 : add_assembled(e, first, from, to, found->reads);
}

static int reads_of(const Reads *reads, Assembler *a, int32_t from, int32_t to)
{
    int32_t low = 0, high = reads->n_reads;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (reads->reads[middle].position < from - reads->longest_span) low = middle + 1;
        else high = middle;
    }
    a->n_reads = 0;
    for (int32_t r = low; r < reads->n_reads; r++) {
        const Read *read = &reads->reads[r];
        if (read->position - reads->longest_span > to) break;
        if (read->low || read->position - read->left_clip >= to || read->end + read->right_clip <= from) continue;
        if (make_room((void **)&a->reads, a->n_reads + 1, &a->reads_room, 0, sizeof(int32_t))) return -1;
        a->reads[a->n_reads++] = r;
    }
    return 0;
}

/* 1 where no candidate seen in two reads or more touches [from, to) and all bases are known. */
static int undisputed(const Evidence *e, int32_t from, int32_t to)
{
    if (from < e->start || to > e->end) return 0;
    for (int32_t p = from; p < to; p++)
        if (e->reference[p - e->start] > 3) return 0;
    for (int32_t i = first_event(e, from - LONGEST_REGION); i < e->n_events && e->events[i].position <= to; i++) {
        const Event *event = &e->events[i];
        if (event->support > 1 && event->position + event->reference_length > from - (event->kind == INSERTION)) return 0;
    }
    return 1;
}

/* Haplotypes of a span, first as far as reads run through, then by words. */
static int find_haplotypes(const Evidence *e, const Reads *reads, Assembler *a, Span span, int least)
{
    int32_t from = span.from - PAD, to = span.to + PAD;
    for (int n = 0; n < SEARCH && !(undisputed(e, from - ANCHOR, from) && occurs_once(e, from - ANCHOR, from - 150, to + 150)); n++) from--;
    for (int n = 0; n < SEARCH && !(undisputed(e, to, to + ANCHOR) && occurs_once(e, to, from - 150, to + 150)); n++) to++;
    if (from - ANCHOR < e->start || to + ANCHOR > e->end) return 0;
    for (int32_t p = from; p < to; p++)
        if (e->reference[p - e->start] > 3) return 0;
    if (reads_of(reads, a, from, to)) return -1;
    read_through(e, reads, a, from, to, least);
    for (size_t i = 0; i < sizeof(WORD_LENGTHS) / sizeof(WORD_LENGTHS[0]); i++) {
        int k = WORD_LENGTHS[i];
        from = span.from - PAD;
        to = span.to + PAD;
        for (int n = 0; n < SEARCH && !undisputed(e, from - k, from); n++) from--;
        for (int n = 0; n < SEARCH && !undisputed(e, to, to + k); n++) to++;
        int done = assemble_words(e, reads, a, from, to, k, least, i > 0);
        if (done < 0) return -1;
        if (done) break;
    }
    return 0;
}

static int assemble_region(Evidence *e, const Reads *reads, Assembler *a, Span span, int least)
{
    int32_t parts = e->n_parts, assembled = e->n_assembled;
    for (int again = 0; again < 2; again++) {
        a->n_found = 0;
        e->n_parts = parts;
        e->n_assembled = assembled;
        if (find_haplotypes(e, reads, a, span, least)) return -1;
        for (int i = 0; i < a->n_found; i++)
            if (add_events(e, a, &a->found[i])) return -1;
        /* an event that could lie farther out than was looked: once more, with all of its span */
        Span wider = span;
        for (int32_t p = parts; p < e->n_parts; p++) {
            if (e->parts[p].kind == SNV) continue;
            if (e->parts[p].position - 1 < wider.from) wider.from = e->parts[p].position - 1;
            if (e->parts[p].right + 1 > wider.to) wider.to = e->parts[p].right + 1;
        }
        if (wider.to - wider.from > LONGEST_REGION || (wider.from == span.from && wider.to == span.to)) break;
        span = wider;
    }
    return 0;
}

/* ---- regions ----------------------------------------------------------------------------------------------------- */

static int by_start(const void *x, const void *y)
{
    const Span *a = x, *b = y;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return a->to < b->to ? -1 : a->to > b->to;
}

static int good_clip(const uint8_t *qualities, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) sum += qualities[i];
    return n >= SHORTEST_CLIP && sum >= 15 * n;
}

/* Signals: candidate insertions and deletions, three SNVs within 20 bases, places where two reads or more are clipped. */
static int find_signals(const Evidence *e, const Reads *reads, Span **signals, int32_t *n_signals)
{
    int32_t size = e->end - e->start, room = 0;
    int32_t *clips = calloc((size_t)size + 1, sizeof(int32_t));
    if (!clips) return -1;
    int status = -1;
    for (int32_t r = 0; r < reads->n_reads; r++) {
        const Read *read = &reads->reads[r];
        if (read->low) continue;
        const uint8_t *qualities = reads->qualities + read->sequence;
        if (good_clip(qualities, read->left_clip) && read->position >= e->start && read->position < e->end)
            clips[read->position - e->start] += 0x10000;
        if (good_clip(qualities + read->length - read->right_clip, read->right_clip) && read->end >= e->start && read->end < e->end)
            clips[read->end - e->start]++;
    }
    for (int32_t p = 0; p < size; p++) {
        int32_t before = clips[p] >> 16, after = clips[p] & 0xffff; /* what is clipped lies before this place, or after it */
        int32_t least = (e->depth[p] + 9) / 10;
        Span span = {e->start + p, e->start + p + 1};
        if (before > 1 && before >= least) span.from -= CLIP_REACH;
        if (after > 1 && after >= least) span.to += CLIP_REACH;
        if (span.to - span.from == 1) continue;
        repeat_span(e, &span.from, &span.to);
        if (make_room((void **)signals, *n_signals + 1, &room, 0, sizeof(Span))) goto done;
        (*signals)[(*n_signals)++] = span;
    }
    for (int32_t i = 0; i < e->n_events; i++) {
        const Event *event = &e->events[i];
        Span span = {event->position - 1, event->right + 1};
        if (event->kind == SNV) {
            if (i + 2 >= e->n_events || e->events[i + 2].position > event->position + 20) continue;
            span.to = e->events[i + 2].right + 1;
        }
        repeat_span(e, &span.from, &span.to);
        if (make_room((void **)signals, *n_signals + 1, &room, 0, sizeof(Span))) goto done;
        (*signals)[(*n_signals)++] = span;
    }
    status = 0;
done:
    free(clips);
    return status;
}

int assemble(Evidence *e, const Reads *reads, const Options *options)
{
    Span *signals = NULL;
    int32_t n = 0;
    Assembler a;
    memset(&a, 0, sizeof(a));
    int status = find_signals(e, reads, &signals, &n);
    a.found = malloc(MOST_FOUND * sizeof(Found));
    if (!a.found || aligner_make(&a.aligner)) status = -1;
    if (!status && n) qsort(signals, (size_t)n, sizeof(Span), by_start);
    for (int32_t i = 0, j; i < n && !status; i = j) {
        Span whole = signals[i];
        for (j = i + 1; j < n && signals[j].from <= whole.to + APART; j++)
            if (signals[j].to > whole.to) whole.to = signals[j].to;
        if (whole.to - whole.from <= LONGEST_REGION) {
            status = assemble_region(e, reads, &a, whole, options->minimum_base_quality);
            continue;
        }
        for (int32_t k = i; k < j && !status; k++)
            if (signals[k].to - signals[k].from <= LONGEST_REGION)
                status = assemble_region(e, reads, &a, signals[k], options->minimum_base_quality);
    }
    free(signals);
    free(a.nodes);
    free(a.table);
    free(a.repeated);
    free(a.stack);
    free(a.order);
    free(a.paths);
    free(a.reads);
    free(a.found);
    aligner_free(&a.aligner);
    return status;
}
