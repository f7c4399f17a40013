using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Tests beside which nothing else may run.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
