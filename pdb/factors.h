/* factors: electron scattering factors of neutral atoms. */
#ifndef CRYOLEX_PDB_FACTORS_H
#define CRYOLEX_PDB_FACTORS_H

#ifdef __cplusplus
extern "C" {
#endif

/* f(s) = sum a[i] exp(-b[i] s^2), s = sin(theta)/lambda in 1/angstrom, f in angstrom, b in square angstrom, for s up to 2.
 * 0, or -1 and carbon's when the element (atomic number) is not in 1..98. Thread-safe.
 * Source: International Tables for Crystallography C (2011), table 4.3.2.2, from gemmi's copy. */
int factors_electron(int element, double a[5], double b[5]);

#ifdef __cplusplus
}
#endif

#endif
