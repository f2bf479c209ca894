# hwsched is built with PGXS, the build system PostgreSQL installs for its
# extensions.  demo, test and bench also work where no PostgreSQL is installed
# yet: they only call test/run.sh, which finds or installs one.

EXTENSION = hwsched
# Not VERSION: that one is PostgreSQL's.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" hwsched.control)

MODULE_big = hwsched
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
SHLIB_LINK = -lcjson
# Another extension's function of the same name must not be taken for ours.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,--version-script=src/exports.map
endif
# The script that draws the charts of reports; empty where npm cannot fetch it.
RUNTIME = hwsched_vega.js
# Scripts of earlier versions, as they were released; and from those to this one.
DATA = $(filter-out %--$(EXTVERSION).sql,$(wildcard src/sql/released/*.sql))
UPDATES = $(patsubst src/sql/updates/%.sql,hwsched--%--$(EXTVERSION).sql,\
	$(wildcard src/sql/updates/*.sql))
DATA_built = hwsched--$(EXTVERSION).sql $(UPDATES) $(RUNTIME)

# -ffp-contract=off: scores must not depend on whether the CPU has fused
# multiply-add.
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-Wno-sign-compare -ffp-contract=off -Isrc
ifeq ($(WERROR),1)
PG_CFLAGS += -Werror
endif
ifeq ($(ASSERT),1)
PG_CFLAGS += -DUSE_ASSERT_CHECKING
endif

# Run in this order in one database; `make test` complains if a file of sql/ is
# not named here.
REGRESS = pure golden documents strict fleet labels groups capacity devices losses silence work thermal settle leases health upkeep retries running moves scheduling accelerators learning lessons gangs reservations tenants tenancy policies energy batch order limits times pause simulate scaling tuning windows hostile access views history records charts partial roles why sessions errors
ISOLATION = $(basename $(notdir $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation \
	--load-extension=hwsched
EXTRA_CLEAN = .deb postgresql-*-hwsched_*.deb hwsched-*.zip test/isolation/results test/isolation/output_iso \
	test/isolation/regression.diffs test/isolation/regression.out

# The bitcode is only of use to the JIT compiler, and needs the very clang
# PostgreSQL was built with.
ifneq ($(origin with_llvm),command line)
override with_llvm = no
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

PG_CONFIG ?= pg_config
# pgxs.mk comes with other packages than the headers, so look for both.
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
PG_HEADERS := $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)

ifneq ($(and $(PGXS),$(PG_HEADERS)),)
include $(PGXS)
else
.PHONY: all install uninstall installcheck clean
all install uninstall installcheck:
	@echo "hwsched: no PostgreSQL server headers found by '$(PG_CONFIG)'." >&2
	@echo "Install postgresql-server-dev-NN (NN = 15 or later) and libcjson-dev," >&2
	@echo "or name another installation: make PG_CONFIG=/path/to/pg_config" >&2
	@exit 1
clean:
	rm -rf hwsched.so $(OBJS) $(DATA_built) $(EXTRA_CLEAN) results regression.*
endif

$(OBJS): $(wildcard src/*/*.h)
hwsched.so: src/exports.map
# What the library takes for its own SQL.
src/support/sql_version.o: hwsched.control
src/support/sql_version.o: override CPPFLAGS += -DHWSCHED_VERSION='"$(EXTVERSION)"'

hwsched--$(EXTVERSION).sql: $(sort $(wildcard src/sql/*.sql)) hwsched.control
	cat $(filter %.sql,$^) </dev/null >$@

# What holds no rows is written anew by an update, after what its own script does to tables.
REPLACED = $(sort $(wildcard src/sql/[4-9]*.sql))
hwsched--%--$(EXTVERSION).sql: src/sql/updates/%.sql $(REPLACED) hwsched.control
	{ printf '%s\n' '\echo Use "ALTER EXTENSION hwsched UPDATE" to load this file. \quit' && \
	sed -E 's/^CREATE (FUNCTION|PROCEDURE|AGGREGATE|VIEW)/CREATE OR REPLACE \1/' \
		$(filter %.sql,$^); } >$@

# A release keeps what it installs; see docs/development.md, "A release".
.PHONY: release-scripts
release-scripts: hwsched--$(EXTVERSION).sql $(UPDATES)
	mkdir -p src/sql/released
	cp $^ src/sql/released/

# An empty one is tried again.
ifeq ($(shell test -s $(RUNTIME) && echo there),)
.PHONY: $(RUNTIME)
endif
$(RUNTIME): src/report/runtime.sh src/report/package-lock.json
	src/report/runtime.sh >$@

# Packages: the archive for PGXN, and one of Debian's for the PostgreSQL of PG_CONFIG.
.PHONY: dist deb
dist:
	git archive --prefix=hwsched-$(EXTVERSION)/ -o hwsched-$(EXTVERSION).zip HEAD

deb: all
	rm -rf .deb
	$(MAKE) -s install DESTDIR=$(CURDIR)/.deb
	data/package/deb.sh $(EXTVERSION) $(MAJORVERSION) .deb
	rm -rf .deb

# Variables set on make's command line (EXAMPLE, KEEP, PG_CONFIG) reach the
# script through its environment.
.PHONY: demo test coverage bench docs help list-regress
demo:
	@test/run.sh demo $(ARGS)

test:
	@test/run.sh test $(STAGES)

coverage:
	@test/run.sh test coverage

docs:
	@ACCEPT=1 test/run.sh test docs

bench:
	@test/run.sh bench $(ARGS)

list-regress:
	@echo $(REGRESS)

help:
	@echo "make                 build against the PostgreSQL of PG_CONFIG"
	@echo "make install         install the extension into that PostgreSQL"
	@echo "make demo            run an example on a throw-away server (EXAMPLE=name)"
	@echo "make test            run all tests on a throw-away server"
	@echo "                     (STAGES=\"static unit fuzz model regress docs isolation pgtap tap smith versions"
	@echo "                     log\", and, only when asked for, sanitize slow coverage)"
	@echo "make coverage        which lines of src the tests run"
	@echo "make docs            write anew what README and docs show of psql and the catalog"
	@echo "make bench           run the benchmark on a throw-away server (ARGS=...)"
	@echo "make deb             build a Debian package for that PostgreSQL; make dist: PGXN's archive"
	@echo "make clean           remove what was built"
	@echo
	@echo "demo, test and bench need no PostgreSQL: run as root they install the"
	@echo "missing packages, otherwise they name them.  KEEP=1 keeps their files."
