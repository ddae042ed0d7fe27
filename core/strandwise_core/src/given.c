/* Events given from outside (known sites): scored whatever the reads show, each place by itself.
 *
 * Candidates do not see given events, and the given events of one place do not see those of another: calls elsewhere
 * stay what they are, and a given allele's evidence does not depend on what else was given.
 */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#define REACH 500 /* candidates no farther away are scored with a given event, as they could share its window */

/* Notes a left-aligned event to be scored. position: first reference base replaced; length: of the inserted or deleted
 * bases; bases: the new base of an SNV or the inserted ones. Returns 0, or -1 when memory is out. */
int given_add(Evidence *e, int32_t position, int32_t kind, int32_t length, const uint8_t *bases)
{
    Event event;
    memset(&event, 0, sizeof(event));
    event.position = position;
    event.kind = kind;
    event.given = 1;
    if (make_room((void **)&e->given, e->n_given + 1, &e->given_room, 0, sizeof(Event))) return -1;
    if (kind == SNV) {
        event.reference_length = event.alternate_length = 1;
        event.alternate = bases[0];
        event.right = position + 1;
    } else {
        if (kind == DELETION) event.reference_length = length;
        if (kind == INSERTION) {
            event.alternate_length = length;
            event.alternate = e->n_alleles;
            if (make_room((void **)&e->alleles, e->n_alleles + length, &e->alleles_room, 0, 1)) return -1;
            memcpy(e->alleles + e->n_alleles, bases, (size_t)length);
            e->n_alleles += length;
        }
        event.right = right_end(e, position, event.reference_length, e->alleles + event.alternate, length);
    }
    e->given[e->n_given++] = event;
    return 0;
}

static int one_site(const Event *a, const Event *b)
{
    return a->position == b->position && (a->kind == SNV) == (b->kind == SNV);
}

/* Scores the given events `members` (indices into e->given, sorted) among the candidates near them; their rows go into e. */
static int score_site(Evidence *e, const Reads *reads, const Options *options, const int32_t *members, int32_t n)
{
    const Event *first = &e->given[members[0]];
    int32_t low = 0, high = e->n_events;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (e->events[middle].position < first->position - REACH) low = middle + 1;
        else high = middle;
    }
    while (high < e->n_events && e->events[high].position <= first->position + REACH) high++;
    Evidence near = *e; /* shares reference, depth and reads; has events and results of its own */
    near.features = near.likelihoods = NULL;
    near.counts = NULL;
    near.read_rows = NULL;
    near.row_reads = NULL;
    near.traces = NULL;
    near.n_events = near.n_given = 0;
    near.events = malloc((size_t)(high - low + n) * sizeof(Event));
    int32_t *places = malloc((size_t)n * sizeof(int32_t)), m = 0;
    int status = -1;
    if (!near.events || !places) goto done;
    for (int32_t i = low; i < high || m < n;) {
        if (m < n && (i == high || compare_events(&e->given[members[m]], &e->events[i]) < 0)) {
            places[m] = near.n_events;
            near.events[near.n_events++] = e->given[members[m++]];
        } else {
            near.events[near.n_events++] = e->events[i++];
        }
    }
    if (evidence_score(&near, reads, options, e->rows)) goto done;
    size_t width = (size_t)e->rows * READ_CHANNELS;
    for (m = 0; m < n; m++) {
        size_t to = (size_t)(e->n_events + members[m]), from = (size_t)places[m];
        memcpy(e->features + to * N_FEATURES, near.features + from * N_FEATURES, N_FEATURES * sizeof(float));
        memcpy(e->likelihoods + to * 3, near.likelihoods + from * 3, 3 * sizeof(float));
        memcpy(e->counts + to * 3, near.counts + from * 3, 3 * sizeof(int32_t));
        if (width) memcpy(e->read_rows + to * width, near.read_rows + from * width, width);
        if (!options->details) continue;
        memcpy(e->row_reads + to * (size_t)e->rows, near.row_reads + from * (size_t)e->rows, (size_t)e->rows * sizeof(int32_t));
        e->traces[to] = near.traces[from];
        near.traces[from] = (Trace){0};
    }
    status = 0;
done:
    free(near.events);
    free(near.features);
    free(near.likelihoods);
    free(near.counts);
    free(near.read_rows);
    free(near.row_reads);
    traces_free(near.traces, near.n_events);
    free(places);
    return status;
}

/* Appends the rows of the given events to those of the candidates (features, likelihoods, counts, read_rows). */
int given_score(Evidence *e, const Reads *reads, const Options *options, int32_t rows)
{
    if (!e->n_given) return 0;
    size_t n = (size_t)(e->n_events + e->n_given), old = (size_t)e->n_events, width = (size_t)rows * READ_CHANNELS;
    float *features = realloc(e->features, (n * N_FEATURES + 1) * sizeof(float));
    if (features) e->features = features;
    float *likelihoods = realloc(e->likelihoods, (n * 3 + 1) * sizeof(float));
    if (likelihoods) e->likelihoods = likelihoods;
    int32_t *counts = realloc(e->counts, (n * 3 + 1) * sizeof(int32_t));
    if (counts) e->counts = counts;
    uint8_t *read_rows = rows ? realloc(e->read_rows, n * width + 1) : NULL;
    if (read_rows) e->read_rows = read_rows;
    int32_t *members = malloc((size_t)e->n_given * sizeof(int32_t));
    uint8_t *done = calloc((size_t)e->n_given, 1);
    int status = !features || !likelihoods || !counts || (rows && !read_rows) || !members || !done ? -1 : 0;
    if (!status && width) memset(read_rows + old * width, 0, (n - old) * width);
    for (int32_t i = 0; i < e->n_given && !status; i++) {
        if (done[i]) continue;
        int32_t m = 0;
        for (int32_t j = i; j < e->n_given && e->given[j].position == e->given[i].position; j++) {
            if (!one_site(&e->given[i], &e->given[j])) continue;
            members[m++] = j;
            done[j] = 1;
        }
        status = score_site(e, reads, options, members, m);
    }
    free(members);
    free(done);
    return status;
}
