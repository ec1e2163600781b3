// gemmi_shim: PDB and mmCIF text -> raw_t by gemmi (C interface in raw.h).
//
// From mmCIF only the tables that we need are read, straight from the parsed document: gemmi's own Structure (0.5.7) leaves out
// products of operators "(1-60)(61-88)" and refuses files for tables that do not concern us.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <gemmi/c4322.hpp>
#include <gemmi/cif.hpp>
#include <gemmi/numb.hpp>
#include <gemmi/pdb.hpp>
#include <gemmi/resinfo.hpp>

extern "C" {
#include "base/mem.h"
}
#include "pdb/factors.h"
#include "pdb/gemmi_border.h"
#include "pdb/raw.h"

namespace cif = gemmi::cif;

namespace {

template <typename T> T &add(T *&array, size_t &n, size_t &cap)
{
    if (mem_grow(&array, &cap, n + 1, sizeof(T), nullptr)) throw std::bad_alloc();
    std::memset(static_cast<void *>(array + n), 0, sizeof(T));
    return array[n++];
}

char *copy(const std::string &s)
{
    char *p = mem_str(s.c_str(), nullptr);
    if (!p) throw std::bad_alloc();
    return p;
}

template <size_t N> void copy_name(char (&to)[N], const std::string &s)
{
    std::memset(to, 0, N);
    std::memcpy(to, s.data(), s.size() < N ? s.size() : N);
}

// Names by order of first appearance.
struct Names {
    std::unordered_map<std::string, uint32_t> at;
    uint32_t operator[](const std::string &s) { return at.emplace(s, static_cast<uint32_t>(at.size())).first->second; }
    bool find(const std::string &s, uint32_t &i) const
    {
        auto it = at.find(s);
        if (it != at.end()) i = it->second;
        return it != at.end();
    }
};

uint8_t res_class(const std::string &name)
{
    const gemmi::ResidueInfo info = gemmi::find_tabulated_residue(name);
    using RI = gemmi::ResidueInfo;
    switch (info.kind) {
    case RI::UNKNOWN: return RES_UNKNOWN;
    case RI::AA: case RI::AAD: case RI::PAA: case RI::MAA: return RES_AMINO;
    case RI::RNA: case RI::DNA: return RES_NUCLEIC;
    case RI::HOH: return RES_WATER;
    case RI::PYR: case RI::KET: return RES_SUGAR;
    default: return RES_OTHER;
    }
}

uint8_t element_of(gemmi::El el)
{
    if (el == gemmi::El::D) return 1;
    return el <= gemmi::El::Og ? static_cast<uint8_t>(el) : 0;
}

// Where the element is blank or nonsense: an ion is called as its residue, any other atom begins with its element.
uint8_t element_of(gemmi::El el, const std::string &atom, const std::string &res)
{
    if (el == gemmi::El::X && !atom.empty()) el = gemmi::find_element((atom == res ? atom : atom.substr(0, 1)).c_str());
    return element_of(el);
}

uint32_t assembly_index(raw_t *r, const std::string &id)
{
    for (size_t i = 0; i < r->nassembly; i++)
        if (id == r->assembly[i]) return static_cast<uint32_t>(i);
    char *&slot = add(r->assembly, r->nassembly, r->assembly_cap);
    slot = copy(id);
    return static_cast<uint32_t>(r->nassembly - 1);
}

rawop_t op_of(const gemmi::Transform &t)
{
    rawop_t o;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) o.m[i][j] = t.mat[i][j];
        o.m[i][3] = t.vec.at(i);
    }
    return o;
}

// Numbers that leave coordinates finite; an operator with others is left out.
bool sane_op(const rawop_t &o)
{
    for (const auto &row : o.m)
        for (double v : row)
            if (!(std::fabs(v) <= 1e6)) return false;
    return true;
}

// ---- numbers of an atom ----

[[noreturn]] void bad_number(const std::string &atom, const char *what, const std::string &text)
{
    throw Fail{ERR_FORMAT, "atom " + atom + ": " + what + " " + text};
}

bool within(double v, double lo, double hi) { return v >= lo && v <= hi; } // NaN is not

bool good_coordinate(double v) { return within(v, -1e6, 1e6); }
bool good_occupancy(double v) { return within(v, 0, 1e3); }
bool good_b(double v) { return within(v, -1e6, 1e6); }

std::string shown(double v)
{
    char s[32];
    std::snprintf(s, sizeof s, "%g", v);
    return s;
}

// ---- PDB ----

rawatom_t &pdb_atom(raw_t *r, const gemmi::Atom &a)
{
    for (double v : {a.pos.x, a.pos.y, a.pos.z})
        if (!good_coordinate(v)) bad_number(std::to_string(a.serial), "coordinate", shown(v));
    if (!good_occupancy(a.occ)) bad_number(std::to_string(a.serial), "occupancy", shown(a.occ));
    if (!good_b(a.b_iso)) bad_number(std::to_string(a.serial), "B factor", shown(a.b_iso));
    rawatom_t &p = add(r->atom, r->natom, r->atom_cap);
    p.x = a.pos.x;
    p.y = a.pos.y;
    p.z = a.pos.z;
    p.occ = a.occ;
    p.b = a.b_iso;
    return p;
}

void pdb_atoms(const gemmi::Structure &st, raw_t *r, Names &chains)
{
    for (const gemmi::Chain &chain : st.models[0].chains) {
        const uint32_t c = chains[chain.name];
        for (const gemmi::Residue &res : chain.residues) {
            rawres_t &q = add(r->res, r->nres, r->res_cap);
            copy_name(q.name, res.name);
            q.seq = res.seqid.num.value;
            q.icode = res.seqid.icode;
            q.cls = res_class(res.name);
            q.ent = ENT_UNKNOWN;
            q.het = res.het_flag == 'H';
            q.chain = q.key = c;
            for (const gemmi::Atom &a : res.atoms) {
                rawatom_t &p = pdb_atom(r, a);
                p.res = static_cast<uint32_t>(r->nres - 1);
                copy_name(p.name, a.name);
                p.alt = a.altloc;
                p.element = element_of(a.element.elem, a.name, res.name);
            }
        }
    }
}

// Old files continue the chains of REMARK 350 on a line of its own, without "AND CHAINS:", which gemmi passes over. A list
// that ends in a comma goes on in the next line when that holds nothing but short names and commas.
void continue_chains(gemmi::Structure &st)
{
    gemmi::Assembly::Gen *gen = nullptr;
    size_t nas = 0, ngen = 0;
    bool open = false;
    for (const std::string &remark : st.raw_remarks) {
        if (remark.compare(0, 10, "REMARK 350") != 0) continue;
        const std::string text = gemmi::trim_str(remark.substr(10));
        const bool apply = text.compare(0, 29, "APPLY THE FOLLOWING TO CHAINS") == 0;
        if (text.compare(0, 12, "BIOMOLECULE:") == 0) {
            nas++;
            ngen = 0;
        }
        if (apply) {
            if (nas == 0 || nas > st.assemblies.size() || ngen >= st.assemblies[nas - 1].generators.size()) return;
            gen = &st.assemblies[nas - 1].generators[ngen++];
        }
        bool list = open && gen && !text.empty() && text.find(':') == std::string::npos;
        const std::vector<std::string> names = gemmi::split_str_multi(text, ", ");
        for (const std::string &name : names)
            if (name.size() > 4) list = false;
        if (list)
            for (const std::string &name : names)
                if (!name.empty()) gen->chains.push_back(name);
        open = (apply || list || text.compare(0, 11, "AND CHAINS:") == 0) && text.back() == ',';
    }
}

void pdb_assemblies(const gemmi::Structure &st, raw_t *r, const Names &chains)
{
    for (const gemmi::Assembly &as : st.assemblies)
        for (const gemmi::Assembly::Gen &g : as.generators) {
            const uint32_t id = assembly_index(r, as.name);
            rawgen_t &gen = add(r->gen, r->ngen, r->gen_cap);
            gen.assembly = id;
            gen.key0 = r->nkey;
            gen.op0 = r->nop;
            for (const std::string &name : g.chains) {
                uint32_t k;
                if (name == "(all)") gen.all = 1;
                else if (chains.find(name, k) || (name == "NULL" && chains.find("", k))) add(r->key, r->nkey, r->key_cap) = k;
            }
            for (const auto &op : g.operators)
                if (rawop_t o = op_of(op.transform); sane_op(o)) add(r->op, r->nop, r->op_cap) = o;
            gen.nkey = r->nkey - gen.key0;
            gen.nop = r->nop - gen.op0;
        }
}

void read_pdb(const char *buf, size_t n, const char *name, raw_t *r)
{
    gemmi::Structure st = gemmi::read_pdb_from_memory(buf, n, name);
    continue_chains(st);
    Names chains;
    if (st.models.empty()) return;
    pdb_atoms(st, r, chains);
    pdb_assemblies(st, r, chains);
    r->nchain = r->nparts = chains.at.size();
    std::string keywords = st.get_info("_struct_keywords.pdbx_keywords");
    const std::string &more = st.get_info("_struct_keywords.text");
    if (!more.empty()) keywords += (keywords.empty() ? "" : "; ") + more;
    std::string uniprot;
    std::vector<std::string> seen;
    for (const gemmi::Entity &ent : st.entities)
        for (const gemmi::Entity::DbRef &ref : ent.dbrefs)
            if (ref.db_name == "UNP" && !ref.accession_code.empty() && !gemmi::in_vector(ref.accession_code, seen)) {
                seen.push_back(ref.accession_code);
                uniprot += (uniprot.empty() ? "" : "; ") + ref.accession_code;
            }
    r->facts.id = copy(st.get_info("_entry.id"));
    r->facts.title = copy(st.get_info("_struct.title"));
    r->facts.method = copy(st.get_info("_exptl.method"));
    r->facts.keywords = copy(keywords);
    r->facts.uniprot = copy(uniprot);
    r->facts.resolution = std::isfinite(st.resolution) && st.resolution > 0 ? st.resolution : 0;
}

// ---- mmCIF ----

struct Entities { // entity id -> type
    std::unordered_map<std::string, uint8_t> type;
    explicit Entities(cif::Block &block)
    {
        for (auto row : block.find("_entity.", {"id", "type"})) {
            const std::string t = row.str(1);
            type[row.str(0)] = t == "polymer" ? ENT_POLYMER : t == "non-polymer" ? ENT_NONPOLYMER
                             : t == "branched" ? ENT_BRANCHED : t == "water" ? ENT_WATER : ENT_UNKNOWN;
        }
    }
};

enum { X, Y, Z, SYMBOL, LABEL_ATOM, AUTH_ATOM, ALT, LABEL_COMP, AUTH_COMP, LABEL_ASYM, AUTH_ASYM, ENTITY, LABEL_SEQ, AUTH_SEQ,
       ICODE, OCC, BISO, MODEL, GROUP };

const std::vector<std::string> atom_tags = {"Cartn_x", "Cartn_y", "Cartn_z", "?type_symbol", "?label_atom_id", "?auth_atom_id",
    "?label_alt_id", "?label_comp_id", "?auth_comp_id", "?label_asym_id", "?auth_asym_id", "?label_entity_id", "?label_seq_id",
    "?auth_seq_id", "?pdbx_PDB_ins_code", "?occupancy", "?B_iso_or_equiv", "?pdbx_PDB_model_num", "?group_PDB"};

using Row = cif::Table::Row;

std::string text_of(const Row &row, int first, int second)
{
    for (int col : {first, second})
        if (row.has2(static_cast<size_t>(col))) return row.str(col);
    return std::string();
}

double number_of(const Row &row, size_t col, double missing) { return row.has2(col) ? cif::as_number(row[col]) : missing; }

// Numbers of the row-th atom of the table; one that is missing is 1 (occupancy) or 0 (B).
rawatom_t &cif_atom(raw_t *r, const Row &row, size_t atom)
{
    double xyz[3];
    for (size_t k = 0; k < 3; k++) {
        xyz[k] = cif::as_number(row[X + k]);
        if (!good_coordinate(xyz[k])) bad_number(std::to_string(atom), "coordinate", row[X + k]);
    }
    const double occ = number_of(row, OCC, 1), b = number_of(row, BISO, 0);
    if (!good_occupancy(occ)) bad_number(std::to_string(atom), "occupancy", row[OCC]);
    if (!good_b(b)) bad_number(std::to_string(atom), "B factor", row[BISO]);
    rawatom_t &p = add(r->atom, r->natom, r->atom_cap);
    p.x = xyz[0];
    p.y = xyz[1];
    p.z = xyz[2];
    p.occ = static_cast<float>(occ);
    p.b = static_cast<float>(b);
    return p;
}

// Finds or makes the residue of a row. Atoms of two residues at one place (microheterogeneity) may alternate.
struct Residues {
    raw_t *r;
    const Entities &entities;
    Names chains, parts;
    std::string asym, seq, chain; // of the residues r->res[first..]
    size_t first = 0;

    uint32_t of(const Row &row)
    {
        // Both numbers: files without insertion codes repeat auth_seq_id, ligands have no label_seq_id.
        const std::string a = text_of(row, LABEL_ASYM, AUTH_ASYM), number = text_of(row, LABEL_SEQ, AUTH_SEQ);
        const std::string s = number + ' ' + text_of(row, AUTH_SEQ, LABEL_SEQ);
        const std::string ch = text_of(row, AUTH_ASYM, LABEL_ASYM), comp = text_of(row, AUTH_COMP, LABEL_COMP);
        const std::string ins = row.has2(ICODE) ? row.str(ICODE) : std::string();
        const char icode = ins.empty() ? ' ' : ins[0];
        char name[8];
        copy_name(name, comp);
        if (a != asym || s != seq || ch != chain || r->nres == first || r->res[first].icode != icode) first = r->nres;
        for (size_t i = r->nres; i-- > first;)
            if (!std::memcmp(r->res[i].name, name, sizeof name)) return static_cast<uint32_t>(i);
        rawres_t &q = add(r->res, r->nres, r->res_cap);
        std::memcpy(q.name, name, sizeof name);
        q.seq = number.empty() ? 0 : gemmi::string_to_int(number, false);
        q.icode = icode;
        q.cls = res_class(comp);
        auto it = row.has2(ENTITY) ? entities.type.find(row.str(ENTITY)) : entities.type.end();
        q.ent = it == entities.type.end() ? static_cast<uint8_t>(ENT_UNKNOWN) : it->second;
        q.het = row.has2(GROUP) && row.str(GROUP) == "HETATM";
        q.chain = chains[ch];
        q.key = parts[a];
        asym = a;
        seq = s;
        chain = ch;
        return static_cast<uint32_t>(r->nres - 1);
    }
};

void cif_atoms(cif::Block &block, raw_t *r, Residues &residues)
{
    cif::Table table = block.find("_atom_site.", atom_tags);
    if (!table.ok()) throw Fail{ERR_FORMAT, "mmCIF without atom coordinates (_atom_site.Cartn_x)"};
    std::vector<std::string> models;
    size_t line = 0;
    for (auto row : table) {
        line++;
        const std::string model = row.has2(MODEL) ? row.str(MODEL) : std::string("1");
        if (models.empty() || model != models.back()) {
            if (!gemmi::in_vector(model, models)) models.push_back(model);
        }
        if (model != models[0]) continue;
        rawatom_t &p = cif_atom(r, row, line);
        p.res = residues.of(row);
        const std::string name = text_of(row, AUTH_ATOM, LABEL_ATOM);
        copy_name(p.name, name);
        p.alt = row.has2(ALT) ? row.str(ALT)[0] : '\0';
        p.element = element_of(row.has2(SYMBOL) ? gemmi::find_element(row.str(SYMBOL).c_str()) : gemmi::El::X, name,
                               text_of(row, AUTH_COMP, LABEL_COMP));
    }
    r->nmodel = models.size();
}

// What a file may ask for in operators, all its assemblies together: a few bytes can stand for very many.
struct Budget {
    size_t left = 1000000;
    void spend()
    {
        if (left-- == 0) throw Fail{ERR_RANGE, "assemblies with more than a million operators"};
    }
};

// "1", "1,3-5", "(1-60)(61,62)", "(X0)(P)": the operator ids of each factor.
std::vector<std::vector<std::string>> parse_operators(const std::string &expr, Budget &budget)
{
    std::vector<std::vector<std::string>> factors(1);
    std::string item;
    auto flush = [&] {
        if (item.empty()) return;
        const size_t dash = item.find('-');
        auto digits = [&](size_t from, size_t to) {
            return from < to && to - from < 7 && item.find_first_not_of("0123456789", from) >= to;
        };
        if (dash != std::string::npos && digits(0, dash) && digits(dash + 1, item.size())) {
            const int a = gemmi::no_sign_atoi(item.c_str()), b = gemmi::no_sign_atoi(item.c_str() + dash + 1);
            for (int i = a; i <= b; i++) {
                budget.spend();
                factors.back().push_back(std::to_string(i));
            }
        } else
            factors.back().push_back(item);
        item.clear();
    };
    for (char c : expr) {
        if (c == '(' || c == ')') {
            flush();
            if (c == '(' && !factors.back().empty()) factors.emplace_back();
        } else if (c == ',')
            flush();
        else if (!std::isspace(static_cast<unsigned char>(c)))
            item += c;
    }
    flush();
    return factors;
}

using Ops = std::unordered_map<std::string, gemmi::Transform>;

Ops cif_operators(cif::Block &block)
{
    Ops ops;
    for (auto row : block.find("_pdbx_struct_oper_list.",
             {"id", "matrix[1][1]", "matrix[1][2]", "matrix[1][3]", "vector[1]", "matrix[2][1]", "matrix[2][2]", "matrix[2][3]",
              "vector[2]", "matrix[3][1]", "matrix[3][2]", "matrix[3][3]", "vector[3]"})) {
        gemmi::Transform t;
        size_t col = 1;
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) t.mat[i][j] = cif::as_number(row[col++]);
            t.vec.at(i) = cif::as_number(row[col++]);
        }
        if (sane_op(op_of(t))) ops[row.str(0)] = t;
    }
    return ops;
}

void cif_assemblies(cif::Block &block, raw_t *r, const Names &parts)
{
    const Ops ops = cif_operators(block);
    Budget budget;
    for (auto row : block.find("_pdbx_struct_assembly_gen.", {"assembly_id", "oper_expression", "asym_id_list"})) {
        const uint32_t id = assembly_index(r, row.str(0));
        std::vector<uint32_t> keys;
        for (const std::string &asym : gemmi::split_str(row.str(2), ','))
            if (uint32_t k; parts.find(gemmi::trim_str(asym), k)) keys.push_back(k);
        if (keys.empty()) continue;
        std::vector<gemmi::Transform> copies(1); // identity
        for (const auto &factor : parse_operators(row.str(1), budget)) {
            std::vector<gemmi::Transform> next;
            for (const gemmi::Transform &left : copies)
                for (const std::string &op : factor) {
                    auto it = ops.find(op);
                    if (it == ops.end()) continue;
                    budget.spend();
                    next.push_back(left.combine(it->second));
                }
            copies.swap(next);
        }
        rawgen_t &gen = add(r->gen, r->ngen, r->gen_cap);
        gen.assembly = id;
        gen.key0 = r->nkey;
        gen.op0 = r->nop;
        for (uint32_t k : keys) add(r->key, r->nkey, r->key_cap) = k;
        for (const auto &t : copies)
            if (rawop_t o = op_of(t); sane_op(o)) add(r->op, r->nop, r->op_cap) = o;
        gen.nkey = r->nkey - gen.key0;
        gen.nop = r->nop - gen.op0;
    }
}

// Distinct values of a tag, joined by "; ".
struct Joined {
    std::string all;
    std::vector<std::string> seen;
    void put(const std::string &v)
    {
        if (v.empty() || gemmi::in_vector(v, seen)) return;
        seen.push_back(v);
        all += (all.empty() ? "" : "; ") + v;
    }
    void tag(cif::Block &block, const char *name)
    {
        for (const std::string &v : block.find_values(name))
            if (!cif::is_null(v)) put(cif::as_string(v));
    }
};

template <size_t N> char *joined(cif::Block &block, const char *const (&tags)[N])
{
    Joined j;
    for (const char *tag : tags) j.tag(block, tag);
    return copy(j.all);
}

void cif_facts(cif::Block &block, modelfacts_t *f)
{
    f->id = joined(block, {"_entry.id"});
    f->title = joined(block, {"_struct.title"});
    f->method = joined(block, {"_exptl.method"});
    f->keywords = joined(block, {"_struct_keywords.pdbx_keywords", "_struct_keywords.text"});
    f->organisms = joined(block, {"_entity_src_gen.pdbx_gene_src_scientific_name", "_entity_src_nat.pdbx_organism_scientific",
                                  "_pdbx_entity_src_syn.organism_scientific"});
    Joined molecules, ec, uniprot;
    for (auto row : block.find("_entity.", {"id", "?type", "?pdbx_description", "?pdbx_ec"})) {
        if (row.has2(1) && row.str(1) != "polymer") continue;
        if (row.has2(2)) molecules.put(row.str(2));
        if (row.has2(3)) ec.put(row.str(3));
    }
    for (auto row : block.find("_struct_ref.", {"db_name", "pdbx_db_accession"}))
        if (row.str(0) == "UNP" && row.has2(1)) uniprot.put(row.str(1));
    f->molecules = copy(molecules.all);
    f->ec = copy(ec.all);
    f->uniprot = copy(uniprot.all);
    for (const char *tag : {"_refine.ls_d_res_high", "_em_3d_reconstruction.resolution", "_reflns.d_resolution_high"})
        for (const std::string &v : block.find_values(tag)) {
            const double d = cif::as_number(v, 0);
            if (d > 0 && d < 1000 && f->resolution == 0) f->resolution = d;
        }
}

void read_cif(const char *buf, size_t n, const char *name, raw_t *r)
{
    // As cif::read_memory(), but a tag given twice (the first counts) is no reason to refuse a file.
    cif::Document doc;
    doc.source = name;
    cif::parse_input(doc, tao::pegtl::memory_input<>(buf, n, name));
    cif::check_for_missing_values(doc);
    cif::Block *block = nullptr;
    for (cif::Block &b : doc.blocks)
        if (!block && b.has_tag("_atom_site.Cartn_x")) block = &b;
    if (!block) throw Fail{ERR_FORMAT, "mmCIF without atom coordinates (_atom_site.Cartn_x)"};
    const Entities entities(*block);
    Residues residues{r, entities, {}, {}, {}, {}, {}, 0};
    cif_atoms(*block, r, residues);
    cif_assemblies(*block, r, residues.parts);
    r->nchain = residues.chains.at.size();
    r->nparts = residues.parts.at.size();
    cif_facts(*block, &r->facts);
}

} // namespace

extern "C" int gemmi_pdb(const char *buf, size_t n, const char *name, raw_t *r, err_t *err)
{
    return border([&] { read_pdb(buf, n, name, r); }, name, err);
}

extern "C" int gemmi_cif(const char *buf, size_t n, const char *name, raw_t *r, err_t *err)
{
    return border([&] { read_cif(buf, n, name, r); }, name, err);
}

extern "C" int factors_electron(int element, double a[5], double b[5])
{
    const bool known = element > 0 && element < 99;
    const auto &coef = gemmi::C4322<double>::get(static_cast<gemmi::El>(known ? element : 6));
    for (int i = 0; i < 5; i++) {
        a[i] = coef.a(i);
        b[i] = coef.b(i);
    }
    return known ? 0 : -1;
}
