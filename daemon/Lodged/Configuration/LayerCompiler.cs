using System.Collections.Generic;
using System.Linq;
using Lodge.Config;

namespace Lodge.Service;

/// <summary>Compiles the files of one directory: the system's, or a user's.</summary>
internal sealed class LayerCompiler(ConfigurationLayers layers) : IConfigurationCompiler
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Sources => layers.Watched;

    /// <inheritdoc/>
    public CompilationOutcome Compile()
    {
        CompileResult result = ConfigurationCompiler.Compile(layers);
        return new CompilationOutcome(result.Bytes, [.. result.Diagnostics.Select(d => d.ToString())]);
    }
}
