/* Numbers that several boxes and the adapters share. */
#ifndef CTS_BASE_LIMITS_H
#define CTS_BASE_LIMITS_H

/* What a request of the worker protocol can carry (wire/PROTOCOL.md): for the wire, and for those
 * who read what is to be requested. */
enum {
    CTS_MOST_FRAME_BYTES = 64 << 20,
    CTS_MOST_SLOTS = 8388608, /* of a program */
    CTS_MOST_LAYOUTS = 16,    /* bodies that share a program */
    CTS_MOST_MAPS = 16,
    CTS_MOST_MAP_BYTES = 64 << 20, /* contents of one */
    CTS_MOST_NAMES = 16,
    CTS_MOST_NAME_BYTES = 63,
    CTS_MOST_THREADS = 64,
    CTS_MOST_ENGINE_BYTES = 31, /* of a runtime's and an engine's name */
};

/* Bytes of a path, and of what tools print as one: PATH_MAX of Linux. */
enum { CTS_PATH_BYTES = 4096 };

/* The time that a program may take, if nobody says otherwise. */
enum { CTS_USUAL_TIMEOUT_MS = 5000 };

/* Helpers 0 to 5 of .data files, which others have other numbers for: in programs for workers they
 * are these. */
enum { CTS_DATA_HELPERS = 0x7100, CTS_DATA_HELPERS_COUNT = 6, CTS_DATA_HELPER_UNWIND = 5 };
/* The test helpers of the reference runtime, those of .data files among them, in front of END. */
enum { CTS_TEST_HELPERS = 0x7000, CTS_TEST_HELPERS_END = 0x8000 };

#endif
