// Locals are not cleared on entry: handlers keep large scratch structures on the stack and fill what they use.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
