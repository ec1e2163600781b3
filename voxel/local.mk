# voxel/: numbers on grids. Includes pdb/ (model_t only), base/.
VOXEL_LIBS =
