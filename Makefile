# Lodge. `make` builds what there is; see README.md.
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

BUILD = dotnet build -v q --nologo -consoleLoggerParameters:NoSummary

.PHONY: all shim tables tables-check abi-maps abi-maps-check abi-emit clean

all: shim
	$(BUILD) Lodge.slnx

# Both host images: out/bin/lodge-shim and out/arm64/lodge-shim.
shim:
	$(BUILD) shim/Lodge.Shim.csproj

# Instruction tables: text -> C# data.
I386 = daemon/Translator/I386
tables:
	dotnet run -v q --project daemon/Translator.Tables -- $(I386)/i386.table $(I386)/I386Table.g.cs

tables-check:
	dotnet run -v q --project daemon/Translator.Tables -- --check $(I386)/i386.table $(I386)/I386Table.g.cs

# Kernel ABI tables. `make abi-maps KERNEL=/path/to/linux` reads a kernel tree; `make abi-emit` writes the generated C# and the
# coverage reports from the committed tables; `make abi-maps-check` fetches the recorded kernel and proves the committed tables.
ABI_MAPS = dotnet run -v q --project abi-maps/Generator --
abi-maps:
	@test -n "$(KERNEL)" || { echo "usage: make abi-maps KERNEL=DIRECTORY (abi-maps/fetch-kernel.sh gets one)"; exit 2; }
	$(ABI_MAPS) generate --root $(CURDIR) --kernel $(KERNEL)
	$(ABI_MAPS) emit --root $(CURDIR)

abi-maps-check:
	abi-maps/check.sh

abi-emit:
	$(ABI_MAPS) emit --root $(CURDIR)

clean:
	rm -rf out
