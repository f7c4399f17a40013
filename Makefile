# Lodge. `make` builds what there is; see README.md.
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

BUILD = dotnet build -v q --nologo -consoleLoggerParameters:NoSummary

.PHONY: all shim tables tables-check clean

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

clean:
	rm -rf out
