/* model: an atomic model (see model.h). */
#include "pdb/model.h"

#include "base/mem.h"
#include "pdb/raw.h"

static void facts_free(modelfacts_t *f)
{
    char *const owned[] = {f->id, f->title, f->method, f->keywords, f->molecules, f->organisms, f->ec, f->uniprot};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    *f = (modelfacts_t){0};
}

void model_free(model_t *m)
{
    if (!m) return;
    facts_free(&m->facts);
    mem_free(m->atom);
    mem_free(m->assembly);
    mem_free(m);
}

void raw_free(raw_t *r)
{
    for (size_t i = 0; i < r->nassembly; i++) mem_free(r->assembly[i]);
    mem_free(r->assembly);
    mem_free(r->atom);
    mem_free(r->res);
    mem_free(r->gen);
    mem_free(r->op);
    mem_free(r->key);
    facts_free(&r->facts);
    *r = (raw_t){0};
}
