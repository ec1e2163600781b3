/* encoder: the voxel network, from a canonical cube and what travels beside it to an embedding (DESIGN 4).
 *
 * Letters: n samples; S side of the cube; F features; d numbers of an embedding. */
#ifndef CRYOLEX_VOXEL_ENCODER_H
#define CRYOLEX_VOXEL_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/net.h"
#include "voxel/turn.h"

#define ENCODER_FRAMES 4    /* proper frames of a cube, see frame.h */
#define ENCODER_RG 30.0     /* angstrom: the size at which the feature log_rg is 0 */
#define ENCODER_ZERNIKE 121 /* invariants of order 20 */

/* Parts that a vector of features may have. */
typedef enum {
    FEATURE_LOG_RG,  /* ln(Rg / ENCODER_RG) */
    FEATURE_PROFILE, /* PROFILE_COUNT numbers of profile.h */
    FEATURE_ZERNIKE, /* ENCODER_ZERNIKE invariants of zernike.h, ZERNIKE_UNIT */
    FEATURE_KINDS
} feature_t;

const char *feature_name(feature_t f); /* "log_rg", "profile", "zernike" */
size_t feature_size(feature_t f);      /* numbers: 1, 32, 121 */

typedef struct encoder_work encoder_work_t;

/* A network with its parameters. One caller at a time; calls run on all threads themselves. */
typedef struct {
    net_t *net;
    float *params; /* (net_size(net)) */
    size_t side, features, d; /* S, F, d */
    feature_t part[FEATURE_KINDS]; /* what the features are, in order */
    size_t parts;
    int frames; /* ENCODER_FRAMES: the mean over the four frames, renormalised; 1: the cube as it stands, so that an entry has
                 * one embedding and a query is tried in all ENCODER_POSES, of which the nearest counts */
    encoder_work_t *work;
    bool twin; /* net and params are another's */
} encoder_t;

/* Make an encoder; its parameters are all 0.
 * In:   table  of the network (nn/net.h); NULL: the default one, encoder_table.h. Inputs "cube" [1,S,S,S], S even, 16..64,
 *              and "features" [F] (none where parts is 0); the output a vector, by a last layer l2norm
 *       part   (parts) the features in order, each at most once; NULL: all, in the order of feature_t
 * NULL: the errors of net_new; ERR_FORMAT a table that is none of an encoder; ERR_NOMEM. Free with encoder_free(). */
encoder_t *encoder_new(const char *table, const feature_t *part, size_t parts, err_t *err);
void encoder_free(encoder_t *e); /* NULL is fine */

/* The same encoder for another caller, ready where encoder_ready() has been called on it: net and parameters are those of e, which outlives it.
 * NULL: ERR_NOMEM. */
encoder_t *encoder_twin(const encoder_t *e, err_t *err);

/* Starting values (net_init) from a seed. */
void encoder_init(encoder_t *e, uint64_t seed);

/* out (F) from the radius of gyration (angstrom, above 0), the profile and the invariants. */
void encoder_features(const encoder_t *e, double rg, const float *profile, const float *zernike, float *out);

/* The cube (S,S,S), x fastest, in frame k of 4: as it is, or turned by half about its x, y or z axis, which reverses the
 * other two. No value changes. */
void encoder_turn(const float *cube, size_t side, int k, float *out);

/* The cube in pose k of ENCODER_POSES: the turns of turn.h; k = 0..3 are those of encoder_turn(). No value changes. */
#define ENCODER_POSES TURNS
void encoder_pose(const float *cube, size_t side, int k, float *out);

/* The pose in which `cube` has the largest product with `like` (S,S,S); of equal ones the first. */
int encoder_match(const float *cube, const float *like, size_t side);

/* Make ready for encoder_embed(): takes the memory and the present values of params. Again after each change of those.
 * 0, or -1: ERR_NOMEM. */
int encoder_ready(encoder_t *e, err_t *err);

/* Embed n samples.
 * In:   cubes     (n, S^3) of cube.h;  features (n, F)
 * Out:  out       (n, d), each of length 1
 * By the mean of ENCODER_FRAMES the four frames of a cube have one embedding, to the bit. The bytes depend neither on the
 * number of threads nor on what else is in the call. Memory is that of ENCODER_BATCH cubes, whatever n is.
 * 0, or -1: ERR_RANGE values that are not finite, or frames that cancel (the message has the sample's number). */
int encoder_embed(encoder_t *e, size_t n, const float *cubes, const float *features, float *out, err_t *err);

/* out (n, poses, d): embeddings of the first `poses` poses of each cube, as they stand, whatever e->frames is; else as
 * encoder_embed(), which poses = 1 means, with the mean over the frames. 0, or -1: ERR_NOMEM too. */
int encoder_embed_poses(encoder_t *e, size_t n, const float *cubes, const float *features, int poses, float *out, err_t *err);

#define ENCODER_BATCH 32 /* cubes, turned ones counted, in one run of the network */

#endif
