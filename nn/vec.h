/* vec: what the sources that are compiled once for every instruction set begin with: NN_VEC, the floats of a vector, and NN_ISA, the
 * set's name, where the build gives none; and names made of it. */
#ifndef CRYOLEX_NN_VEC_H
#define CRYOLEX_NN_VEC_H

#ifndef NN_VEC
#define NN_VEC 8 /* what every machine has, or the compiler makes up */
#define NN_ISA vec
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define INLINE static inline __attribute__((always_inline))

#endif
