using Lodge.Shim;
using Xunit;

namespace Lodge.UnitTests.Threads;

/// <summary>Segment descriptors: user_desc, hardware format, selectors.</summary>
public unsafe class DescriptorTests
{
    [Theory]
    [InlineData(0x08cf2380u, 0xfffffu, 0x51u, 0x08dff3cf2380ffffUL)]
    [InlineData(0u, 0xfffffu, 0x51u, 0x00dff3000000ffffUL)]
    [InlineData(0x12345678u, 63u, 0x41u, 0x1250f3345678003fUL)]
    public void HardwareFormat(uint segmentBase, uint limit, uint flags, ulong descriptor)
    {
        UserDesc desc;
        desc.entry_number = 12;
        desc.base_addr = segmentBase;
        desc.limit = limit;
        desc.flags = flags;
        Assert.Equal(descriptor, desc.ToDescriptor());
        UserDesc back = UserDesc.FromDescriptor(12, desc.ToDescriptor());
        Assert.Equal(desc, back);
    }

    [Fact]
    public void EmptyMeansReadOnlyAndNotPresent()
    {
        UserDesc desc = default;
        Assert.True(desc.IsZero);
        Assert.False(desc.IsEmpty);
        desc.flags = 0x28;
        Assert.True(desc.IsEmpty);
        desc.limit = 1;
        Assert.False(desc.IsEmpty);
    }

    [Fact]
    public void SelectorsOfA64BitKernel()
    {
        GuestThread* t = stackalloc GuestThread[1];
        Mm* mm = stackalloc Mm[1];
        *t = default;
        mm->Ldt = null;
        mm->LdtEntries = 0;
        t->Mm = mm;
        Assert.True(Segments.Query(t, 0x23, out uint segmentBase, out uint limit, out uint access));
        Assert.Equal((0u, 0xffffffffu), (segmentBase, limit));
        Assert.NotEqual(0u, access & SegmentAccess.Code);
        Assert.True(Segments.Query(t, 0x2b, out _, out _, out access));
        Assert.Equal(0u, access & SegmentAccess.Code);
        Assert.NotEqual(0u, access & SegmentAccess.Writable);
        Assert.False(Segments.Query(t, 0x63, out _, out _, out _));
        Assert.False(Segments.Query(t, 0x07, out _, out _, out _));
        Assert.False(Segments.Query(t, 0x10, out _, out _, out _));
        UserDesc desc = default;
        desc.base_addr = 0xabcd0000;
        desc.limit = 0xfffff;
        desc.flags = 0x51;
        t->Links.Tls[1] = desc.ToDescriptor();
        Assert.Equal(0xabcd0000u, Segments.BaseOf(t, 0x6b));
        Assert.Equal(0u, Segments.BaseOf(t, 0x63));
    }
}
