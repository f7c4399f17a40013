# Lodge. `make` builds what there is; see README.md.
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

BUILD = dotnet build -v q --nologo -consoleLoggerParameters:NoSummary

.PHONY: all shim clean

all: shim
	$(BUILD) Lodge.slnx

# Both host images: out/bin/lodge-shim and out/arm64/lodge-shim.
shim:
	$(BUILD) shim/Lodge.Shim.csproj

clean:
	rm -rf out
