/* Questions to a policy. Pure functions; any thread. */
#include "count/policy.h"

#include <string.h>

bool mm_policy_is_nobody(const mm_policy_t *policy, mm_bytes_t user)
{
    for (size_t i = 0; i < policy->n_nobodies; i++) {
        const char *name = policy->nobodies[i];

        if (strlen(name) == user.len && memcmp(name, user.data, user.len) == 0) {
            return true;
        }
    }
    return false;
}
