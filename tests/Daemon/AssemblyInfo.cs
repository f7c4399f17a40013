// Every test of the service starts programs: more at a time would only make each of them slower.
[assembly: Xunit.CollectionBehavior(MaxParallelThreads = 2)]
