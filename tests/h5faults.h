/* h5faults: what Debian's libhdf5 1.10.8 does wrong by itself with damaged files: it reads past the end of a damaged attribute message
 * (H5Aexists_by_name) loses memory, and asks for any amount of it. Sanitizers are told to look away from that library, not from us. */
#ifndef CRYOLEX_TESTS_H5FAULTS_H
#define CRYOLEX_TESTS_H5FAULTS_H

#if defined __SANITIZE_ADDRESS__
#define H5FAULTS 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define H5FAULTS 1
#endif
#endif

#ifdef H5FAULTS
const char *__asan_default_suppressions(void);
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__asan_default_suppressions(void) { return "interceptor_via_lib:libhdf5"; }
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; } /* it asks for sizes of the file's choosing, and takes NULL */
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }
#endif

#endif
