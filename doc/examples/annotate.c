/* annotate.c: what a map or a model is, and what it does, by libcryolex.
 *     cc annotate.c -o annotate $(pkg-config --cflags --libs cryolex) && ./annotate map.mrc */
#include <cryolex.h>
#include <stdio.h>

static void print(const clx_annotation_t *a)
{
    const clx_hits_t *hits = clx_annotation_hits(a);
    for (size_t i = 0; i < 10 && i < clx_hits_count(hits); i++) {
        const clx_hit_t *h = clx_hits_at(hits, i);
        printf("entry\t%s\t%.3f\t%s\n", h->entry->id, h->confidence, h->entry->title);
    }
    for (size_t i = 0; i < clx_annotation_count(a); i++) {
        const clx_term_t *t = clx_annotation_at(a, i);
        printf("%s\t%s\t%.3f\t%s\n", t->space, t->id, t->confidence, t->name);
    }
}

int main(int argc, char **argv)
{
    clx_err_t err = {0};
    clx_query_t *q = NULL;
    clx_annotation_t *a = NULL;
    if (argc != 2) return fprintf(stderr, "usage: annotate FILE\n"), 2;
    clx_t *c = clx_open(NULL, NULL, &err);
    if (c) q = clx_query_file(c, argv[1], NULL, &err);
    if (q) a = clx_annotate(c, q, NULL, &err);
    if (a) print(a);
    else fprintf(stderr, "annotate: %s\n", err.msg);
    clx_annotation_free(a);
    clx_query_free(q);
    clx_close(c);
    return a ? 0 : 3;
}
