# Lodge. See README.md.
#
#   make            build everything
#   make shim       the shim only: out/bin/lodge-shim (x86-64) and out/arm64/lodge-shim
#   make shim-order   write anew which of the shim's functions lie together (docs/architecture.md), from runs of real programs
#   make deps       install what building and testing need (Debian)
#   make test       build and run all tests; SUITE="name …" chooses among tests/suites.txt
#   make tables   write the instruction tables' C# anew from their text (make tables-check: prove it is up to date)
#   make config-tables   write schema, default configuration and the option list of docs/configuration.md anew
#   make demo       real programs of a Debian i386 root, translated, with the service at work; installs, builds and makes the root first
#   make bench      native : Lodge : qemu-i386; BENCH="fib start" chooses, RUNS=9 sets the number of runs; BENCH=daemon: the service
#   make abi-maps, abi-maps-check, abi-emit   kernel ABI tables: see abi-maps/abi-maps.mk
#   make packaging  man pages, shell completion and binfmt.d files anew from the command line's own description
#   make install, uninstall   DESTDIR=… PREFIX=…: see packaging/install.mk
#   make clean      remove out/
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

BUILD = dotnet build -v q --nologo -consoleLoggerParameters:NoSummary

.PHONY: all shim shim-order commands guests deps tables tables-check config-tables test rootfs demo bench clean

all:
	$(BUILD) Lodge.slnx

# What people start: the command and the service.
commands:
	$(BUILD) daemon/Cli/Lodge.Cli.csproj
	$(BUILD) daemon/Lodged/Lodge.Lodged.csproj

shim:
	$(BUILD) shim/Lodge.Shim.csproj

shim-order: shim guests rootfs
	shim/order/make-order --sizes
	$(MAKE) shim

# 32-bit test programs and native test helpers, by cross compilers.
guests:
	$(MAKE) -s -C tests/guest
	$(MAKE) -s -C tests/tools

TABLES = dotnet run -v q --project daemon/Translator.Tables --
I386   = daemon/Translator/I386

tables:
	$(TABLES) $(I386)/i386.table $(I386)/I386Table.g.cs

tables-check:
	$(TABLES) --check $(I386)/i386.table $(I386)/I386Table.g.cs

config-tables:
	dotnet run -v q --project daemon/Config.Tables -- .

deps:
	packaging/install-deps

test: deps all guests rootfs
	tests/run-suites $(SUITE)

rootfs: deps
	rootfs-tools/lodge-rootfs make out/roots/i386

demo: deps shim commands guests rootfs
	tests/demo/run-demo $(DEMO)

bench: deps shim guests rootfs
	$(if $(filter-out daemon,$(or $(BENCH),all)),tests/bench/run-bench $(if $(RUNS),--runs $(RUNS)) $(filter-out daemon,$(BENCH)))
	$(if $(filter daemon,$(or $(BENCH),daemon)),$(BUILD) daemon/Lodged && tests/bench/run-daemon-bench)

clean:
	rm -rf out

include abi-maps/abi-maps.mk
include packaging/install.mk
