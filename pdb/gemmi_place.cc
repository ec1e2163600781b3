// gemmi_place: an mmCIF file of a model that was moved, from the text it was read from, by gemmi (C interface in raw.h).
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#define USE_STD_SNPRINTF // Debian has gemmi without the printf that it brings along
#define GEMMI_WRITE_IMPLEMENTATION
#include <gemmi/align.hpp>
#include <gemmi/cif.hpp>
#include <gemmi/numb.hpp>
#include <gemmi/pdb.hpp>
#include <gemmi/polyheur.hpp>
#include <gemmi/to_cif.hpp>
#include <gemmi/to_mmcif.hpp>

#include "pdb/gemmi_border.h"
#include "pdb/raw.h"

namespace cif = gemmi::cif;

namespace {

// What is said in the frame of the crystal, which the model leaves.
const char *const crystal[] = {"_cell.", "_symmetry.", "_symmetry_equiv.", "_space_group.", "_space_group_symop.", "_atom_sites.",
                               "_atom_sites_footnote.", "_struct_ncs_oper.", "_database_pdb_matrix.", "_pdbx_helical_symmetry.",
                               "_pdbx_point_symmetry.", "_pdbx_struct_legacy_oper_list."};
// What an assembly that was built makes untrue.
const char *const assemblies[] = {"_pdbx_struct_assembly.", "_pdbx_struct_assembly_gen.", "_pdbx_struct_assembly_prop.",
                                  "_pdbx_struct_assembly_auth_evidence.", "_pdbx_struct_oper_list.", "_atom_site_anisotrop."};

bool in_category(const cif::Item &item, const char *prefix)
{
    const size_t n = std::strlen(prefix);
    const std::string *tag = item.type == cif::ItemType::Pair                                     ? &item.pair[0]
                             : item.type == cif::ItemType::Loop && !item.loop.tags.empty() ? &item.loop.tags[0]
                                                                                           : nullptr;
    return tag && tag->size() >= n && gemmi::to_lower(tag->substr(0, n)) == prefix;
}

void remove(cif::Block &block, const char *prefix)
{
    auto out = block.items.begin();
    for (auto it = out; it != block.items.end(); ++it)
        if (!in_category(*it, prefix)) {
            if (out != it) *out = std::move(*it);
            ++out;
        }
    block.items.erase(out, block.items.end());
}

std::string number(double v, int digits)
{
    char s[64];
    if (!(std::fabs(v) <= 1e7)) throw Fail{ERR_FORMAT, "a coordinate or matrix that is no number"};
    std::snprintf(s, sizeof s, "%.*f", digits, v);
    return s;
}

// ---- the block, from either format ----

cif::Document document(const char *buf, size_t n, const char *name, bool pdb)
{
    if (pdb) {
        gemmi::Structure st = gemmi::read_pdb_from_memory(buf, n, name);
        gemmi::setup_entities(st);
        gemmi::assign_label_seq_id(st, false);
        if (st.name.empty() || st.name.find('/') != std::string::npos) st.name = "model";
        gemmi::MmcifOutputGroups groups(true);
        groups.group_pdb = true;
        return gemmi::make_mmcif_document(st, groups);
    }
    cif::Document doc;
    doc.source = name;
    cif::parse_input(doc, tao::pegtl::memory_input<>(buf, n, name));
    return doc;
}

// ---- other numbers that go with the frame ----

const std::vector<std::string> oper_tags = {"matrix[1][1]", "matrix[1][2]", "matrix[1][3]", "vector[1]", "matrix[2][1]", "matrix[2][2]",
                                            "matrix[2][3]", "vector[2]", "matrix[3][1]", "matrix[3][2]", "matrix[3][3]", "vector[3]"};

// An operator of the model as it was, in the frame it is in now.
void move_operators(cif::Block &block, const gemmi::Transform &pose)
{
    const gemmi::Transform back = pose.inverse();
    for (auto row : block.find("_pdbx_struct_oper_list.", oper_tags)) {
        gemmi::Transform t;
        for (int i = 0; i < 12; i++) (i % 4 == 3 ? t.vec.at(i / 4) : t.mat[i / 4][i % 4]) = cif::as_number(row[static_cast<size_t>(i)]);
        t = pose.combine(t).combine(back);
        for (int i = 0; i < 12; i++) row[static_cast<size_t>(i)] = number(i % 4 == 3 ? t.vec.at(i / 4) : t.mat[i / 4][i % 4], 10);
    }
}

// U' = R U R^T
void move_anisotropy(cif::Block &block, const gemmi::Transform &pose)
{
    const std::vector<std::string> tags = {"U[1][1]", "U[2][2]", "U[3][3]", "U[1][2]", "U[1][3]", "U[2][3]"};
    cif::Table table = block.find("_atom_site_anisotrop.", tags);
    if (!table.ok()) return remove(block, "_atom_site_anisotrop.");
    for (auto row : table) {
        double u[6];
        for (size_t i = 0; i < 6; i++) u[i] = cif::as_number(row[i]);
        const gemmi::Mat33 m(u[0], u[3], u[4], u[3], u[1], u[5], u[4], u[5], u[2]);
        const gemmi::Mat33 r = pose.mat.multiply(m).multiply(pose.mat.transpose());
        const double v[6] = {r[0][0], r[1][1], r[2][2], r[0][1], r[0][2], r[1][2]};
        for (size_t i = 0; i < 6; i++)
            if (!cif::is_null(row[i])) row[i] = number(v[i], 4);
    }
}

// ---- atoms ----

// The table of atoms, taken out of the block.
struct Atoms {
    std::vector<std::string> tags, values;
    int x = -1, y = -1, z = -1, id = -1, label = -1, auth = -1, model = -1;

    explicit Atoms(cif::Block &block)
    {
        for (cif::Item &item : block.items) {
            if (!in_category(item, "_atom_site.")) continue;
            if (item.type == cif::ItemType::Loop) {
                tags.swap(item.loop.tags);
                values.swap(item.loop.values);
                item.erase();
                break;
            }
            tags.push_back(item.pair[0]);
            values.push_back(item.pair[1]);
        }
        remove(block, "_atom_site.");
        for (size_t i = 0; i < tags.size(); i++) {
            const std::string t = gemmi::to_lower(tags[i].substr(11));
            const int at = static_cast<int>(i);
            if (t == "cartn_x") x = at;
            else if (t == "cartn_y") y = at;
            else if (t == "cartn_z") z = at;
            else if (t == "id") id = at;
            else if (t == "label_asym_id") label = at;
            else if (t == "auth_asym_id") auth = at;
            else if (t == "pdbx_pdb_model_num") model = at;
        }
        if (x < 0 || y < 0 || z < 0) throw Fail{ERR_FORMAT, "no atom coordinates"};
    }
    size_t rows() const { return values.size() / tags.size(); }
    const std::string &at(size_t row, int col) const { return values[row * tags.size() + static_cast<size_t>(col)]; }
    bool known(size_t row, int col) const { return col >= 0 && !cif::is_null(at(row, col)); }
};

struct Writer {
    FILE *f;
    const Atoms &atoms;
    size_t serial = 0;

    void head() const
    {
        std::fputs("\nloop_\n", f);
        for (const std::string &tag : atoms.tags) std::fprintf(f, "%s\n", tag.c_str());
    }

    // copy: 0, or which copy of an assembly this is, which its chains are named by and its atoms numbered anew for.
    void row(size_t r, const gemmi::Transform &t, size_t copy, bool renumber)
    {
        const gemmi::Vec3 p(cif::as_number(atoms.at(r, atoms.x)), cif::as_number(atoms.at(r, atoms.y)), cif::as_number(atoms.at(r, atoms.z)));
        const gemmi::Vec3 q = t.apply(p);
        for (int c = 0; c < static_cast<int>(atoms.tags.size()); c++) {
            const std::string &v = atoms.at(r, c);
            std::string s = c == atoms.x ? number(q.x, 3) : c == atoms.y ? number(q.y, 3) : c == atoms.z ? number(q.z, 3) : v;
            if (c == atoms.id && renumber) s = std::to_string(++serial);
            if ((c == atoms.label || c == atoms.auth) && copy && !cif::is_null(v)) s = cif::quote(cif::as_string(v) + "-" + std::to_string(copy + 1));
            const bool field = !s.empty() && s[0] == ';'; // a text field begins a line
            std::fputs(field ? "\n" : c ? " " : "", f);
            std::fputs(s.c_str(), f);
            if (field) std::fputs("\n", f);
        }
        std::fputs("\n", f);
    }
};

// What pdb_read() calls the parts of assemblies, row by row; rows of other models than the first are SIZE_MAX.
std::vector<size_t> part_of(const Atoms &atoms, bool pdb)
{
    std::unordered_map<std::string, size_t> names;
    std::vector<size_t> part(atoms.rows(), SIZE_MAX);
    const int first = pdb ? atoms.auth : atoms.label, second = pdb ? atoms.label : atoms.auth;
    std::string model;
    for (size_t r = 0; r < part.size(); r++) {
        const std::string m = atoms.known(r, atoms.model) ? cif::as_string(atoms.at(r, atoms.model)) : "1";
        if (r == 0) model = m;
        if (m != model) continue;
        const int col = atoms.known(r, first) ? first : second;
        part[r] = names.emplace(col >= 0 && atoms.known(r, col) ? cif::as_string(atoms.at(r, col)) : "", names.size()).first->second;
    }
    return part;
}

gemmi::Transform transform_of(const double m[3][4])
{
    gemmi::Transform t;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) t.mat[i][j] = m[i][j];
        t.vec.at(i) = m[i][3];
    }
    return t;
}

void write_assembly(Writer &w, const raw_t *raw, const char *assembly, const gemmi::Transform &pose, bool pdb)
{
    const std::vector<size_t> part = part_of(w.atoms, pdb);
    std::unordered_map<size_t, size_t> copies; // of each part, so far
    for (size_t g = 0; g < raw->ngen; g++) {
        const rawgen_t &gen = raw->gen[g];
        if (std::strcmp(raw->assembly[gen.assembly], assembly) != 0) continue;
        std::vector<bool> wanted(raw->nparts, gen.all != 0);
        for (size_t k = 0; k < gen.nkey; k++) wanted[raw->key[gen.key0 + k]] = true;
        for (size_t o = 0; o < gen.nop; o++) {
            const gemmi::Transform t = pose.combine(transform_of(raw->op[gen.op0 + o].m));
            for (size_t r = 0; r < part.size(); r++)
                if (part[r] < wanted.size() && wanted[part[r]]) w.row(r, t, copies[part[r]], true);
            for (size_t k = 0; k < wanted.size(); k++)
                if (wanted[k]) copies[k]++;
        }
    }
}

void place(const char *buf, size_t n, const char *name, bool pdb, const raw_t *raw, const char *assembly, const double m[3][4], FILE *out)
{
    cif::Document doc = document(buf, n, name, pdb);
    cif::Block *block = nullptr;
    for (cif::Block &b : doc.blocks)
        if (!block && b.has_tag("_atom_site.Cartn_x")) block = &b;
    if (!block) throw Fail{ERR_FORMAT, "no atom coordinates"};
    const gemmi::Transform pose = transform_of(m);
    for (const char *prefix : crystal) remove(*block, prefix);
    if (*assembly)
        for (const char *prefix : assemblies) remove(*block, prefix);
    else {
        move_operators(*block, pose);
        move_anisotropy(*block, pose);
    }
    const Atoms atoms(*block);
    std::ostringstream text;
    cif::write_cif_block_to_stream(text, *block);
    std::fputs(text.str().c_str(), out);
    Writer w{out, atoms};
    w.head();
    if (*assembly) write_assembly(w, raw, assembly, pose, pdb);
    else
        for (size_t r = 0; r < atoms.rows(); r++) w.row(r, pose, 0, false);
}

} // namespace

extern "C" int gemmi_place(const char *buf, size_t n, const char *name, int pdb, const raw_t *raw, const char *assembly, const double m[3][4],
                           FILE *out, err_t *err)
{
    return border([&] { place(buf, n, name, pdb != 0, raw, assembly, m, out); }, name, err);
}
