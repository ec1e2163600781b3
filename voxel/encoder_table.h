/* encoder_table: the default network of the encoder, in the form of nn/net.h. Three stages of two residual blocks on 16^3,
 * 8^3 and 4^3 voxels; the features join the pooled channels in the head. */
#ifndef CRYOLEX_VOXEL_ENCODER_TABLE_H
#define CRYOLEX_VOXEL_ENCODER_TABLE_H

#define ENCODER_CONV(name, out, more) \
    "{\"op\": \"conv\", \"name\": \"" name "\", \"out\": " #out more ", \"bias\": false},\n"
#define ENCODER_NORM(name) "{\"op\": \"groupnorm\", \"name\": \"" name "\", \"groups\": 8},\n"
#define ENCODER_RELU(label) "{\"op\": \"relu\", \"as\": \"" label "\"},\n"

/* Residual block: on the result called `in`, giving the result called `name`. */
#define ENCODER_BLOCK(name, out, in)                                             \
    ENCODER_CONV(name "_conv1", out, ", \"side\": 3")                            \
    ENCODER_NORM(name "_norm1") "{\"op\": \"relu\"},\n"                          \
    ENCODER_CONV(name "_conv2", out, ", \"side\": 3")                            \
    ENCODER_NORM(name "_norm2") "{\"op\": \"add\", \"with\": \"" in "\"},\n" ENCODER_RELU(name)

/* Half the side. */
#define ENCODER_DOWN(name, out) \
    ENCODER_CONV(name, out, ", \"side\": 3, \"stride\": 2") ENCODER_NORM(name "_norm") ENCODER_RELU(name)

#define ENCODER_TABLE                                                                                              \
    "{\"inputs\": {\"cube\": [1, 32, 32, 32], \"features\": [154]},\n\"layers\": [\n"                              \
    ENCODER_CONV("stem", 32, ", \"from\": \"cube\", \"side\": 5, \"stride\": 2")                                   \
    ENCODER_NORM("stem_norm") ENCODER_RELU("stem")                                                                 \
    ENCODER_BLOCK("s1b1", 32, "stem") ENCODER_BLOCK("s1b2", 32, "s1b1") ENCODER_DOWN("down1", 64)                  \
    ENCODER_BLOCK("s2b1", 64, "down1") ENCODER_BLOCK("s2b2", 64, "s2b1") ENCODER_DOWN("down2", 128)                \
    ENCODER_BLOCK("s3b1", 128, "down2") ENCODER_BLOCK("s3b2", 128, "s3b1")                                         \
    "{\"op\": \"pool\", \"kind\": \"mean\", \"as\": \"mean\"},\n"                                                  \
    "{\"op\": \"pool\", \"kind\": \"max\", \"from\": \"s3b2\", \"as\": \"max\"},\n"                                \
    "{\"op\": \"batchnorm\", \"name\": \"features_norm\", \"from\": \"features\"},\n"                              \
    "{\"op\": \"linear\", \"name\": \"features_fc\", \"out\": 64},\n" ENCODER_RELU("invariants")                   \
    "{\"op\": \"concat\", \"from\": \"mean\", \"with\": [\"max\", \"invariants\"]},\n"                             \
    "{\"op\": \"linear\", \"name\": \"fc1\", \"out\": 384},\n{\"op\": \"relu\"},\n"                                \
    "{\"op\": \"linear\", \"name\": \"fc2\", \"out\": 256},\n{\"op\": \"l2norm\"}]}"

#endif
