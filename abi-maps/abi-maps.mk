# Kernel ABI tables (abi-maps/README.md), included by the top Makefile.
#
#   make abi-emit                generated C# and coverage reports, from the committed tables and hand files only
#   make abi-maps KERNEL=DIR     tables from a kernel tree (abi-maps/fetch-kernel.sh gets one), then abi-emit
#   make abi-maps-check          fetches the recorded kernel and proves the committed tables and generated files
ABI_MAPS = dotnet run -v q --project abi-maps/Generator --

.PHONY: abi-emit abi-maps abi-maps-check

abi-emit:
	$(ABI_MAPS) emit --root $(CURDIR)

abi-maps:
	@test -n "$(KERNEL)" || { echo "usage: make abi-maps KERNEL=DIRECTORY (abi-maps/fetch-kernel.sh gets one)"; exit 2; }
	$(ABI_MAPS) generate --root $(CURDIR) --kernel $(KERNEL)
	$(ABI_MAPS) layouts --root $(CURDIR) --kernel $(KERNEL)
	$(ABI_MAPS) emit --root $(CURDIR)

abi-maps-check:
	abi-maps/check.sh
