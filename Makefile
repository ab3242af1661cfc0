# mod_metrics: build, test, run. `make help` lists the targets.

SHELL     := /bin/bash
BUILD     ?= build
CC        ?= gcc
FUZZ_CC   ?= clang
PKGCONFIG ?= pkg-config
APXS      ?= $(firstword $(wildcard /usr/bin/apxs /usr/bin/apxs2 /usr/local/apache2/bin/apxs /usr/local/bin/apxs /usr/sbin/apxs) apxs)

# Rooms that know no httpd: the library. Rooms that do: the module.
CORE_ROOMS  := base agents event spool rules settings accesslog count status drain import store resolve clowder route report
HTTPD_ROOMS := config capture authz serve supervise
CORE_SRC    := $(foreach r,$(CORE_ROOMS),$(wildcard src/$(r)/*.c))
HTTPD_SRC   := mod_metrics.c $(foreach r,$(HTTPD_ROOMS),$(wildcard src/$(r)/*.c))
TOOL_SRC    := $(wildcard tools/*.c)
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)

# Expanded when used, so that `make run` works before any of these tools is installed.
MONGOC       = $(shell $(PKGCONFIG) --exists mongoc2 && echo mongoc2 || echo libmongoc-1.0)
CORE_PKGS    = $(MONGOC) apr-1 apr-util-1 libpcre2-8 xlsxwriter libcrypto
CORE_CFLAGS  = $(shell $(PKGCONFIG) --cflags $(CORE_PKGS))
CORE_LIBS    = $(shell $(PKGCONFIG) --libs $(CORE_PKGS)) -lcrypt
HTTPD_CFLAGS = -isystem $(shell $(APXS) -q INCLUDEDIR) $(shell $(APXS) -q EXTRA_CPPFLAGS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wpointer-arith
CFLAGS   ?= -O2 -g
ifdef WERROR
WARNINGS += -Werror
endif
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS) -fPIC -fvisibility=hidden -fno-strict-aliasing -Isrc -Iinclude
SANITIZE   := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SAN_FLAGS  := -O1 -g $(SANITIZE) -DUNIT_SANITIZED
# Of the tests' own sources: what they test is optimised, they are built faster than they would run faster.
TEST_FLAGS := -O1 -g1
SAN_TEST_FLAGS := -O0 -gline-tables-only

.PHONY: all help bootstrap run clean-data test test-computing test-unit test-asan test-fuzz-seeds test-httpd test-mpm test-oracle test-faults test-spreadsheets \
        check lint fuzz torture bench-record bench-agents bench-outage bench-backlog bench-permissions bench-reports bench-import bench-spreadsheet format format-check clean install
# The field's lists of robots and machines, fetched once. Empty: without them.
AGENT_LISTS ?= $(BUILD)/share/robots.txt

all: $(BUILD)/mod_metrics.so $(BUILD)/metricsctl $(AGENT_LISTS)

help:
	@sed -n 's/^## //p' Makefile

## make                builds build/mod_metrics.so and build/metricsctl, and fetches the lists of robots and machines
## make install        copies the module and metricsctl to where apxs and /usr/local/bin say, the lists and
##                     conf/agents.conf to /usr/local/share/mod_metrics (DESTDIR is respected)
## make run            builds, starts a database and a demo site on 127.0.0.1:8080, until Ctrl-C
## make clean-data     forgets the demo's data
## make test           everything that must hold; installs what is missing
## make test-mpm       the tests with a real httpd under worker, prefork and as one process, in full
## make test-spreadsheets  reports in LibreOffice, which it installs (make test has them in pandas and openpyxl)
## make test-oracle    who sees what of a Clowder, against a second implementation (SEED; PAIRS, default 50,000)
## make fuzz           fuzzes every parser for FUZZ_SECONDS each (default 600)
## make torture        kills everything at random for MINUTES (default 30) and compares counts with answers; SEED, MPM
## make bench-record   what recording costs, next to a bare httpd and one with CustomLog
## make bench-outage   what a database that is away for MINUTES (default 5) costs visitors
## make bench-agents   how many robots and how many browsers the lists take for robots, and how fast
## make bench-backlog  how fast, and in how much memory, EVENTS (default ten million) in the spool are drained
## make bench-import   how fast an access log of LINES (default a million) is imported, next to GoAccess
## make bench-reports  what reports on ROWS (default a million) resources take, beside a bare loop over the database
## make bench-spreadsheet  what writing ROWS rows (default a million) takes as CSV and as XLSX, without a database
## make bench-permissions  what providers of permissions add to a report on ROWS resources
## make format         formats the C sources

# --- build ------------------------------------------------------------------------------------------------------------

CORE_OBJ  := $(CORE_SRC:%.c=$(BUILD)/obj/%.o)
TOOL_OBJ  := $(TOOL_SRC:%.c=$(BUILD)/obj/%.o)
HTTPD_OBJ := $(HTTPD_SRC:%.c=$(BUILD)/obj/%.o)
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
ASAN_BIN  := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit-asan/%)
SAN_OBJ   := $(CORE_SRC:%.c=$(BUILD)/san/%.o)
FUZZ_BIN  := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)

$(CORE_OBJ): ROOM_CFLAGS = $(CORE_CFLAGS)
$(HTTPD_OBJ): ROOM_CFLAGS = $(HTTPD_CFLAGS) $(CORE_CFLAGS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ROOM_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libmetrics.a: $(CORE_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# nodelete: libmongoc must not be unloaded at a reload, it can be initialised only once in a process.
$(BUILD)/mod_metrics.so: $(HTTPD_OBJ) $(BUILD)/libmetrics.a src/exports.map
	$(CC) -shared $(LDFLAGS) -Wl,-z,nodelete \
	    -Wl,--version-script=src/exports.map -o $@ $(HTTPD_OBJ) $(BUILD)/libmetrics.a $(CORE_LIBS)

$(BUILD)/metricsctl: $(TOOL_OBJ) $(BUILD)/libmetrics.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
$(TOOL_OBJ): ROOM_CFLAGS = $(CORE_CFLAGS)

# Again when another version is wanted.
$(BUILD)/share/robots.txt: scripts/requirements-agents.txt scripts/agent-lists
	@scripts/agent-lists $(@D)

SHARE_DIR := /usr/local/share/mod_metrics
install: all
	install -D -m 644 $(BUILD)/mod_metrics.so $(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)/mod_metrics.so
	install -D -m 755 $(BUILD)/metricsctl $(DESTDIR)/usr/local/bin/metricsctl
	install -D -m 644 include/mod_metrics.h $(DESTDIR)$(shell $(APXS) -q INCLUDEDIR)/mod_metrics.h
	install -D -m 644 -t $(DESTDIR)$(SHARE_DIR) conf/agents.conf conf/clowder.conf conf/files.conf
ifneq ($(AGENT_LISTS),)
	install -m 644 $(BUILD)/share/robots.txt $(BUILD)/share/machines.txt $(BUILD)/share/LICENSE.counter-robots \
	    $(DESTDIR)$(SHARE_DIR)
endif

# --- run --------------------------------------------------------------------------------------------------------------

bootstrap:
	@scripts/bootstrap

run:
	@scripts/bootstrap
	@$(MAKE) --no-print-directory -j$$(nproc) -s all
	@exec scripts/run

clean-data:
	@scripts/clean-data

# --- test -------------------------------------------------------------------------------------------------------------

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libmetrics.a Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(TEST_FLAGS) -Itests/unit $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics.a -lcmocka $(CORE_LIBS)

# One library with sanitizers and coverage serves the unit tests and the fuzzers.
$(BUILD)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) $(SAN_FLAGS) -fsanitize=fuzzer-no-link $(CORE_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/libmetrics-san.a: $(SAN_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/unit-asan/%: tests/unit/%.c $(BUILD)/libmetrics-san.a Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) $(SAN_FLAGS) $(SAN_TEST_FLAGS) -Itests/unit $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics-san.a -lcmocka $(CORE_LIBS)

$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libmetrics-san.a Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) -Wno-missing-prototypes $(SAN_FLAGS) -fsanitize=fuzzer $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics-san.a $(CORE_LIBS)

test:
	@scripts/bootstrap test
	@$(MAKE) --no-print-directory -j$$(nproc) -s WERROR=1 all
	@$(MAKE) --no-print-directory check
	@# Tests with a real httpd and the torture mostly wait. The others are built and run beside them, two at a time.
	@$(MAKE) --no-print-directory -j$$(($$(nproc) + 2)) -k -s --output-sync=target WERROR=1 test-httpd test-faults test-computing

test-computing:
	@nice $(MAKE) --no-print-directory $(UNIT_BIN) $(ASAN_BIN) $(FUZZ_BIN)
	@$(MAKE) --no-print-directory test-unit test-asan test-fuzz-seeds
test-unit: $(UNIT_BIN)
	@tests/unit/run $(UNIT_BIN)
test-asan: $(ASAN_BIN)
	@tests/unit/run $(ASAN_BIN)
test-fuzz-seeds: $(FUZZ_BIN)
	@tests/fuzz/replay $(FUZZ_BIN)
# Each of them has a database server of its own.
HTTPD_AT_ONCE ?= 4
# A file's tests stay together, with the httpd that they share, until somebody has nothing left to do.
PYTEST_HTTPD = $(BUILD)/venv/bin/python -m pytest -q -n $(HTTPD_AT_ONCE) --dist worksteal tests/httpd $(PYTEST_ARGS)
test-httpd: all
	@$(PYTEST_HTTPD)
# The whole of tests/httpd under what `make test` only samples.
test-mpm: all
	@scripts/bootstrap test
	@set -e; for kind in MM_MPM=worker MM_MPM=prefork MM_SINGLE=1; do \
	    echo "tests/httpd with $$kind"; \
	    env $$kind $(PYTEST_HTTPD); \
	done
# Permissions of Clowder's against an oracle: PAIRS of a requester and a resource or person, in a database made up from SEED.
test-oracle: SEED  ?= 1
test-oracle: PAIRS ?= 50000
test-oracle: all
	@scripts/bootstrap test
	@MM_ORACLE_SEED=$(SEED) MM_ORACLE_PAIRS=$(PAIRS) $(BUILD)/venv/bin/python -m pytest -q -s \
	    tests/httpd/test_clowder_rights.py
test-faults: all
	@$(BUILD)/venv/bin/python tests/faults/torture.py --short
# LibreOffice is large, so it is no part of `make test`.
test-spreadsheets:
	@scripts/bootstrap office
	@$(MAKE) --no-print-directory -s all $(BUILD)/write_report
	@$(BUILD)/venv/bin/python -m pytest -q tests/httpd/libreoffice.py tests/httpd/test_spreadsheets.py $(PYTEST_ARGS)
check:
	@set -e; for c in tests/check/*.py; do python3 $$c; done

FUZZ_SECONDS ?= 600
fuzz: $(FUZZ_BIN)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_BIN)

bench-record:
	@scripts/bootstrap bench
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/record.py
EVENTS ?= 10000000
$(BUILD)/fill_spool: bench/fill_spool.c $(BUILD)/libmetrics.a Makefile
	$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics.a $(CORE_LIBS)
$(BUILD)/classify: bench/classify.c $(BUILD)/libmetrics.a Makefile
	$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics.a $(CORE_LIBS)
$(BUILD)/write_report: bench/write_report.c $(BUILD)/libmetrics.a Makefile
	$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -MP -o $@ $< $(BUILD)/libmetrics.a $(CORE_LIBS)
bench-agents: $(BUILD)/classify $(AGENT_LISTS)
	@scripts/bootstrap
	@$(BUILD)/venv/bin/python bench/agents.py
bench-backlog: $(BUILD)/fill_spool
	@scripts/bootstrap test
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/backlog.py --events $(EVENTS)
LINES ?= 1000000
bench-import: $(AGENT_LISTS)
	@scripts/bootstrap bench
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/import_log.py --lines $(LINES)
torture: MINUTES ?= 30
torture:
	@scripts/bootstrap test
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python tests/faults/torture.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) \
	    $(if $(MPM),--mpm $(MPM))
ROWS  ?= 1000000
USERS ?= 200000
$(BUILD)/read_cursor: bench/read_cursor.c Makefile
	$(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) -MMD -MP -o $@ $< $(CORE_LIBS)
bench-reports: $(BUILD)/read_cursor
	@scripts/bootstrap test
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/reports.py --rows $(ROWS) --users $(USERS)
bench-spreadsheet: $(BUILD)/write_report
	@for form in csv xlsx; do echo "$$form: seconds of the processor, KiB"; \
	    $(BUILD)/write_report $$form $(ROWS) 0 $${TMPDIR:-/tmp} >/dev/null; done
bench-permissions:
	@scripts/bootstrap test
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/permissions.py --rows $(ROWS)
bench-outage: MINUTES ?= 5
bench-outage:
	@scripts/bootstrap bench
	@$(MAKE) --no-print-directory -s all
	@$(BUILD)/venv/bin/python bench/outage.py --minutes $(MINUTES)

FORMATTED = mod_metrics.c $(wildcard include/*.h examples/*.c src/*/*.h src/*/*.c tools/*.c tests/unit/*.[ch] tests/fuzz/*.[ch] bench/*.c)
format:
	clang-format -i $(FORMATTED)
format-check:
	clang-format --dry-run --Werror $(FORMATTED)

clean:
	rm -rf $(BUILD)/obj $(BUILD)/san $(BUILD)/unit $(BUILD)/unit-asan $(BUILD)/fuzz $(BUILD)/*.a \
	    $(BUILD)/mod_metrics.so $(BUILD)/metricsctl

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
