// gemmi_border: between gemmi, which throws, and C, which wants an error value. For the C++ files of pdb/ alone.
#ifndef CRYOLEX_PDB_GEMMI_BORDER_H
#define CRYOLEX_PDB_GEMMI_BORDER_H

#include <cstring>
#include <exception>
#include <new>
#include <string>

extern "C" {
#include "base/err.h"
}

namespace {

struct Fail { // carries a code to the catch at the border
    errcode_t code;
    std::string msg;
};

// The one border: whatever is thrown becomes an error value.
template <class F> int border(F f, const char *name, err_t *err)
{
    try {
        f();
        return 0;
    } catch (const Fail &e) {
        return err_set(err, e.code, "%s: %s", name, e.msg.c_str());
    } catch (const std::bad_alloc &) {
        return err_set(err, ERR_NOMEM, "%s: no memory to parse it", name);
    } catch (const std::exception &e) {
        // The parser's messages often begin with the file's name.
        const char *msg = e.what();
        const size_t len = std::strlen(name);
        if (!std::strncmp(msg, name, len) && msg[len] == ':') msg += len + 1;
        return err_set(err, ERR_FORMAT, "%s: %s", name, msg);
    } catch (...) {
        return err_set(err, ERR_INTERNAL, "%s: the parser failed", name);
    }
}

} // namespace

#endif
