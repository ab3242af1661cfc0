/* The version of the module and of metricsctl. */
#ifndef MM_VERSION_H
#define MM_VERSION_H

#define MM_VERSION "0.1.0"

#endif
