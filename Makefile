# nomad-operator. `make` builds it, `make demo` shows it, `make test` proves it; `make help` lists the rest.

BUILD ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
Q := $(if $(V),,@)
say = @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-7s %s\n' $(1) $(2))

HOST := $(wildcard host/*.c)
TESTS := $(patsubst host/test/%.c,$(BUILD)/test/%,$(wildcard host/test/test_*.c))
TEST_SUPPORT := $(patsubst host/%.c,$(BUILD)/%.o,$(wildcard host/test/support/*.c))
FUZZERS := $(patsubst host/fuzz/%.c,build/fuzz/%,$(wildcard host/fuzz/*.c))
EMBEDDED := $(shell find lib scripts -type f 2>/dev/null)
LIBRARY := $(patsubst host/%.c,$(BUILD)/host/%.o,$(filter-out host/main.c,$(HOST))) $(BUILD)/embedded.o

# Warnings: those of both compilers, then each one's own.
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Walloca \
	-Wwrite-strings -Wcast-qual -Wcast-align -Wpointer-arith -Wswitch-enum -Wimplicit-fallthrough \
	-Wdouble-promotion -Wnull-dereference -Wredundant-decls
ifneq (,$(findstring clang,$(CC)))
WARN += -Wcomma -Wassign-enum -Wextra-semi-stmt -Wconditional-uninitialized \
	-Wmissing-variable-declarations -Wunreachable-code-aggressive -Wshorten-64-to-32
else
WARN += -Wformat-signedness -Wformat-overflow=2 -Wformat-truncation=2 -Wduplicated-cond \
	-Wduplicated-branches -Wlogical-op -Wjump-misses-init -Walloc-zero -Warray-bounds=2 \
	-Wstringop-overflow=4 -Wuse-after-free=3 -Wdangling-pointer=2 -Wtrampolines -Wbidi-chars=any
endif
ifdef DEV
WARN += -Werror
endif

# What a build is for: release unless MODE says debug, asan or fuzz.
MODE ?= release
ifeq ($(MODE),release)
OPT := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection=full
LINK := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed,--build-id=sha1
ifeq (,$(findstring clang,$(CC)))
OPT += -ftrivial-auto-var-init=zero
endif
else ifeq ($(MODE),debug)
OPT := -O0 -g3 -fno-omit-frame-pointer
else
OPT := -O1 -g3 -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-sanitize-recover=all \
	-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow
LINK = $(OPT)
# Sanitizers hide from the compiler what it would need to be sure here.
WARN := $(filter-out -Wformat-truncation=2,$(WARN))
ifeq ($(MODE),fuzz)
OPT += -fsanitize=fuzzer-no-link
# Short inputs shall reach the lazy tables too.
CPPFLAGS += -DJSON_LAZY_ABOVE=8
endif
endif

CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Ihost -isystem /usr/include/lua5.4
CFLAGS += -std=c11 $(OPT) $(WARN) -fno-common -fPIE -ffile-prefix-map=$(CURDIR)=.
LDFLAGS += -pie $(LINK)
# The dynamic linker looks each name up in this order, and nearly half of them are libcrypto's own: it comes before libcurl,
# which brings it.
NETWORK := -lc -Wl,--push-state,--no-as-needed -l:libcrypto.so.3 -Wl,--pop-state -lcurl -lmicrohttpd
# make slim: these from tools/slim, and OpenSSL, static: of what lies unused in the file no page is ever read.
ifdef SLIM
CPPFLAGS := -isystem build/slim/libraries/include $(CPPFLAGS)
NETWORK := $(addprefix build/slim/libraries/lib/,libcurl.a libmicrohttpd.a) -l:libssl.a -l:libcrypto.a
LDFLAGS += -Wl,--gc-sections
endif
LDLIBS += -l:liblua5.4-cjson.a -l:liblua5.4.a -l:libuv_a.a $(NETWORK) -lm -ldl -lpthread

.PHONY: all release slim debug asan demo test check format nomad fuzz chaos where install clean help tests bench bench-quick bench-programs chaos-servers
.DELETE_ON_ERROR:
.SECONDARY:

all: release
release: $(BUILD)/nomad-operator $(BUILD)/lib/host/json.so $(BUILD)/lib/host/packed.so $(BUILD)/lib/host/scan.so
slim: build/slim/libraries/done
	@$(MAKE) --no-print-directory SLIM=1 BUILD=build/slim build/slim/nomad-operator
build/slim/libraries/done: tools/slim | build/deps-slim
	@CC='$(CC)' tools/slim $(@D) && rm -f build/slim/nomad-operator && touch $@
debug:
	@$(MAKE) --no-print-directory MODE=debug BUILD=build/debug build/debug/nomad-operator
asan:
	@$(MAKE) --no-print-directory MODE=asan BUILD=build/asan build/asan/nomad-operator tests
tests: $(TESTS)

$(BUILD)/nomad-operator: $(BUILD)/host/main.o $(BUILD)/libhost.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libhost.a: $(LIBRARY)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(BUILD)/host/%.o: host/%.c | build/deps-build
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The directories are there so that a removed file is noticed too.
$(BUILD)/embedded.c: tools/embed.lua $(EMBEDDED) $(sort $(dir $(EMBEDDED))) | build/deps-build
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && lua5.4 tools/embed.lua $(EMBEDDED) > $@

# host.json, host.packed and host.scan once more, as modules for specs and for the rock.
MODULE_JSON := $(wildcard host/json*.c) host/mem.c
MODULE_PACKED := host/lua_packed.c host/lua_class.c host/packed.c host/keyset.c host/mem.c
MODULE_SCAN := $(wildcard host/scan*.c host/where*.c) host/lua_scan.c host/lua_where.c host/buf.c host/mem.c
$(BUILD)/lib/host/json.so: $(MODULE_JSON:host/%.c=$(BUILD)/pic/%.o)
$(BUILD)/lib/host/packed.so: $(MODULE_PACKED:host/%.c=$(BUILD)/pic/%.o)
$(BUILD)/lib/host/scan.so: $(MODULE_SCAN:host/%.c=$(BUILD)/pic/%.o)
$(BUILD)/lib/host/%.so:
	$(call say,MODULE,$@)
	$(Q)mkdir -p $(@D) && $(CC) -shared $(LINK) -o $@ $^

$(BUILD)/pic/%.o: host/%.c | build/deps-build
	$(call say,CC,"$< (module)")
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<

$(BUILD)/test/%: $(BUILD)/test/%.o $(TEST_SUPPORT) $(BUILD)/libhost.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/test/%.o: host/test/%.c | build/deps-test
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# make fuzz: each target replays its corpus and runs for FUZZ_SECONDS.
FUZZ_SECONDS ?= 30
fuzz: | build/deps-check
	@$(MAKE) --no-print-directory MODE=fuzz BUILD=build/fuzz CC=clang-14 $(FUZZERS)
	@for f in $(FUZZERS); do tools/fuzz $$f $(FUZZ_SECONDS) || exit 1; done

build/fuzz/%: host/fuzz/%.c build/fuzz/libhost.a
	$(call say,FUZZER,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# make chaos: random jobs and troubles in the model, then calm; a seed replays exactly.
SEED ?= 1
SEEDS ?= 1
FAULTS ?= 1000
chaos: release | build/deps-test
	@lua5.4 tools/chaos.lua -seed $(SEED) -seeds $(SEEDS) -faults $(FAULTS)

# make where: the raw filter against its meaning, on many generated lines.
LINES ?= 1000000
where: release | build/deps-test
	@WHERE_LINES=$(LINES) WHERE_SEED=$(SEED) busted spec/host/where_spec.lua

# make bench: ours beside others on a synthetic Nomad; BENCH_FLAGS are ours, BENCH is for bench/run.lua.
BENCH_OPT := -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g $(filter-out -Wformat-truncation=2,$(WARN))
BENCH_PROGRAMS := $(addprefix build/bench/,synthetic-nomad floor naive parsed.json)
bench bench-quick: release bench-programs | build/deps-test
bench:
	@lua5.4 bench/run.lua -out bench/results/$$(date +%Y-%m-%d).md $(BENCH)
bench-quick:
	@lua5.4 bench/run.lua -quick $(BENCH)
# A peer in Go is left out, by name, where it cannot be built.
bench-programs: $(BENCH_PROGRAMS)
	@! command -v go >/dev/null || $(MAKE) -s --no-print-directory -k build/bench/api build/bench/tuned || true

build/bench/synthetic-nomad: $(wildcard bench/*.[ch] bench/server/*.[ch]) | build/deps-build
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(BENCH_OPT) -o $@ $(filter %.c,$^)
build/bench/floor: $(wildcard bench/*.[ch] bench/peers/floor/*.[ch]) | build/deps-build
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(BENCH_OPT) -o $@ $(filter %.c,$^)
build/bench/naive: bench/peers/naive/main.c | build/deps-build
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(BENCH_OPT) -isystem /usr/include/lua5.4 -o $@ $^ -l:liblua5.4-cjson.a -l:liblua5.4.a -lcurl -lm -ldl
build/bench/parsed.json: lib/operator/testing/parsed.lua
	$(Q)mkdir -p $(@D) && lua5.4 -e 'for _, text in pairs(dofile "$<") do io.write(text) end' > $@
build/bench/api build/bench/tuned: $(wildcard bench/peers/go.* bench/peers/*/*.go bench/peers/*/*.hcl)
	$(call say,GO,$@)
	$(Q)cd bench/peers && go build -buildvcs=false -o ../../$@ ./$(@F)

# make chaos-servers: the same on three real servers that are killed, held, and restored.
SECONDS ?= 600
NOMAD ?= 1.11.3
chaos-servers: release | build/deps-test
	@lua5.4 tools/chaos_servers.lua -seed $(SEED) -seconds $(SECONDS) -nomad $(NOMAD)

demo: release | build/deps-test
	@tools/demo

test: release tests asan build/bench/synthetic-nomad build/bench/floor build/bench/parsed.json | build/deps-test
	@tools/test

check: | build/deps-check
	@tools/check

format: | build/deps-check
	clang-format-14 -i $(wildcard host/*.[ch] host/*/*.[ch] bench/*.[ch] bench/server/*.[ch] bench/peers/*/*.[ch])

nomad: | build/deps-test
	@for v in 1.11.3 1.4.3; do tools/nomad/find -build $$v || exit 1; done

# The packages that a goal needs: looked at once, and again when the list changes.
build/deps-%: tools/deps
	@tools/deps $* && mkdir -p build && touch $@

install: release
	install -D -m 755 $(BUILD)/nomad-operator $(DESTDIR)$(PREFIX)/bin/nomad-operator

clean:
	rm -rf build

help:
	@echo 'make           build/nomad-operator'
	@echo 'make demo      watch it give a job a backup, follow an update, and take it away again'
	@echo 'make test      everything that proves it; CI=true makes the live specs mandatory'
	@echo 'make check     warnings as errors, luacheck, layers, format'
	@echo 'make format    clang-format over host/'
	@echo 'make nomad     build the Nomads that demo and tests use (with Go 1.25 or newer)'
	@echo 'make fuzz      libFuzzer over every parser, FUZZ_SECONDS=30 each'
	@echo 'make chaos     random troubles in the model of Nomad, then calm: SEED=1 SEEDS=1 FAULTS=1000'
	@echo 'make chaos-servers  the same on three real servers: SEED=1 SECONDS=600 NOMAD=1.11.3'
	@echo 'make where     the raw filter against lib/operator/filter.lua: LINES=1000000 SEED=1'
	@echo 'make bench     ours beside others, under an hour; make bench-quick: a minute (docs/performance.md)'
	@echo 'make slim      build/slim/nomad-operator: smaller in memory, quicker to start, few shared libraries'
	@echo 'make debug     build/debug/nomad-operator; make asan: build/asan, with sanitizers'
	@echo 'make install   to $$(DESTDIR)$$(PREFIX), /usr/local unless told; make clean: remove build/'
	@echo 'V=1 shows the commands, DEV=1 makes warnings errors, CC=clang-14 takes another compiler'

-include $(wildcard $(BUILD)/host/*.d $(BUILD)/pic/*.d $(BUILD)/test/*.d $(BUILD)/test/support/*.d)
