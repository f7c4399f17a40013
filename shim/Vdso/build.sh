#!/bin/sh
# Assembles the i386 vDSO and writes it for the image's linker scripts (vdso.ld) and as C# (VdsoImage.g.cs). Needs clang and ld.lld; run by hand after a change of vdso-i386.S.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang --target=i386-linux-gnu -c -o "$work/vdso.o" vdso-i386.S
ld.lld -m elf_i386 -shared --hash-style=both --eh-frame-hdr -Bsymbolic -z max-page-size=4096 -soname linux-gate.so.1 \
    -e __kernel_vsyscall -T vdso-i386.lds -o "$work/vdso.so" "$work/vdso.o"
llvm-strip --strip-all --strip-sections "$work/vdso.so" -o "$work/stripped.so" 2>/dev/null || cp "$work/vdso.so" "$work/stripped.so"
python3 - "$work/vdso.so" "$work/stripped.so" VdsoImage.g.cs vdso.ld <<'PY'
import struct, subprocess, sys
elf, stripped, target, script = sys.argv[1:]
names = {}
for line in subprocess.run(["readelf", "-W", "--dyn-syms", elf], capture_output=True, text=True, check=True).stdout.splitlines():
    part = line.split()
    if len(part) >= 8 and part[3] == "FUNC":
        names[part[7].split("@")[0]] = int(part[1], 16)
image = open(stripped, "rb").read()
# Keep what the segment loads; section headers are of no use at run time.
phoff, = struct.unpack_from("<I", image, 28)
size, = struct.unpack_from("<I", image, phoff + 16)
image = bytearray(image[:size])
struct.pack_into("<I", image, 32, 0)
struct.pack_into("<HHH", image, 46, 40, 0, 0)
assert size <= 4096
with open(target, "w") as out:
    print("// Written by build.sh from vdso-i386.S. Do not edit.", file=out)
    print("using System;\n\nnamespace Lodge.Shim;\n", file=out)
    print("public static unsafe partial class VdsoImage\n{", file=out)
    for name in ("__kernel_vsyscall", "__kernel_sigreturn", "__kernel_rt_sigreturn"):
        words = "".join(w.capitalize() for w in name.strip("_").split("_"))
        print(f"    /// <summary>Offset of {name}.</summary>\n    public const uint {words} = {names[name]:#x};\n", file=out)
    print("    private static ReadOnlySpan<byte> Image =>\n    [", file=out)
    for i in range(0, len(image), 24):
        print("        " + " ".join(f"0x{b:02X}," for b in image[i:i + 24]), file=out)
    print("    ];\n}", file=out)
with open(script, "w") as out:
    print("/* Written by build.sh from vdso-i386.S: a page with the guest's vDSO. Do not edit. */", file=out)
    words = struct.unpack("<%dQ" % (len(image) + 7 >> 3), image + bytes(-len(image) % 8))
    for i in range(0, len(words), 4):
        print(" ".join(f"QUAD(0x{w:X})" for w in words[i:i + 4]), file=out)
PY
