using Xunit;

namespace Lodge.UnitTests;

/// <summary>Tests beside which nothing else may run.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
