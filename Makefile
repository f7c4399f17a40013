# Lodge. See README.md.
#
#   make            build everything
#   make shim       the shim only: out/bin/lodge-shim (x86-64) and out/arm64/lodge-shim
#   make deps       install what building and testing need (Debian)
#   make test       build and run all tests; SUITE="name …" chooses among tests/suites.txt
#   make clean      remove out/
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

BUILD = dotnet build -v q --nologo -consoleLoggerParameters:NoSummary

.PHONY: all shim guests deps test clean

all:
	$(BUILD) Lodge.slnx

shim:
	$(BUILD) shim/Lodge.Shim.csproj

# 32-bit test programs and native test helpers, by cross compilers.
guests:
	$(MAKE) -s -C tests/guest
	$(MAKE) -s -C tests/tools

deps:
	packaging/install-deps

test: deps all guests
	tests/run-suites $(SUITE)

clean:
	rm -rf out
