/* caption_priv: what caption.c tells, and caption_facts.c finds. */
#ifndef CRYOLEX_PIPELINE_CAPTION_PRIV_H
#define CRYOLEX_PIPELINE_CAPTION_PRIV_H

#include "pipeline/annot.h"
#include "pipeline/phrase.h"

enum { KNOWN_ECS = 3, KNOWN_TERMS = 8 };

/* What a caption can tell. */
typedef struct {
    char name[PHRASE_NAMES][PHRASE_NAME];
    size_t names;
    char organism[PHRASE_ORGANISMS][PHRASE_NAME];
    size_t organisms;
    const char *ec[KNOWN_ECS];
    size_t ecs;
    const char *term[GO_NAMESPACES][KNOWN_TERMS]; /* the most telling first */
    size_t terms[GO_NAMESPACES];
    unsigned oligomer;
    bool several;  /* proteins */
    bool others;   /* more proteins than names */
    bool synonyms; /* the first two names are of one protein */
} known_t;

/* Adds to *k, which starts from {0}. 0, or -1: ERR_NOMEM. */
int known_gather(const annot_t *a, const facts_t *f, known_t *k, err_t *err);

#endif
