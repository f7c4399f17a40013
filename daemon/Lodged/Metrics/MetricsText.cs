using System.Globalization;
using System.Text;

namespace Lodge.Service;

/// <summary>The service in figures, in the Prometheus text format 0.0.4.</summary>
internal static class MetricsText
{
    /// <summary>The whole text.</summary>
    public static string Make(ServiceState state, int connections)
    {
        Counters c = state.Counters;
        StringBuilder text = new(4096);
        Gauge(text, "lodged_guests", "Guests alive.", state.Guests.Count);
        Gauge(text, "lodged_guests_polled", "Guests alive that are polled, because descriptors ran out.", state.Guests.PolledCount);
        Gauge(text, "lodged_connections", "Connections open.", connections);
        Gauge(text, "lodged_start_time_seconds", "When the service started, seconds since 1970.", state.StartedMicroseconds / 1_000_000);
        Gauge(text, "lodged_state_saved", "1 when the table of guests can be saved, 0 when not.", state.File.Failing ? 0 : 1);
        Gauge(text, "lodged_configuration_good", "1 when the last configuration read was good, 0 when an older one is in force.",
            state.Configuration is { IsStale: true } ? 0 : 1);
        Counter(text, "lodged_registrations", "Registrations taken.", state.Guests.Registrations);
        Counter(text, "lodged_registrations_refused", "Registrations refused: table full, foreign pid namespace.", c.Refused);
        Counter(text, "lodged_exits", "Guests whose end was seen.", state.Guests.Exits);
        Counter(text, "lodged_connections_taken", "Connections taken.", c.Connections);
        Counter(text, "lodged_connections_refused", "Connections refused by quota, or of other users.", c.ConnectionsRefused);
        Counter(text, "lodged_connections_timed_out", "Connections ended for silence.", c.TimedOut);
        Counter(text, "lodged_protocol_errors", "Connections ended for what they sent.", c.ProtocolErrors);
        Counter(text, "lodged_faults", "Messages that brought out a fault of the service.", c.Faults);
        Counter(text, "lodged_log_lines", "Log lines of guests taken.", c.LogLines);
        Counter(text, "lodged_log_lines_dropped", "Log lines of guests dropped.", c.LogLinesDropped);
        Counter(text, "lodged_events_lost", "Events that subscribers did not read in time.", c.EventsLost);
        Counter(text, "lodged_state_failures", "Failed attempts to save the table of guests.", state.File.Failures);
        Counter(text, "lodged_configuration_compilations", "Configurations compiled.", state.Configuration?.Generation ?? 0);
        Counter(text, "lodged_configuration_failures", "Configurations that could not be compiled or written.", state.Configuration?.Failures ?? 0);
        Counter(text, "lodged_guest_reports", "Guests that told their counters at their end; the following are sums over these.", c.Reports);
        Counter(text, "lodged_guest_units_translated", "Units of guest code translated.", c.Units);
        Counter(text, "lodged_guest_instructions_translated", "Guest instructions in them.", c.Instructions);
        Counter(text, "lodged_guest_code_bytes_translated", "Bytes of guest code in them.", c.GuestCodeBytes);
        Counter(text, "lodged_host_code_bytes", "Bytes of host code made of them.", c.HostCodeBytes);
        Counter(text, "lodged_guest_page_faults", "Page faults.", c.PageFaults);
        CounterSeconds(text, "lodged_guest_cpu_user_seconds", "Processor time in user mode.", c.UserMicroseconds);
        CounterSeconds(text, "lodged_guest_cpu_system_seconds", "Processor time in the kernel.", c.SystemMicroseconds);
        return text.ToString();
    }

    private static void Gauge(StringBuilder text, string name, string help, double value) =>
        Add(text, name, help, "gauge", value.ToString("R", CultureInfo.InvariantCulture));

    private static void Counter(StringBuilder text, string name, string help, ulong value) =>
        Add(text, name + "_total", help, "counter", value.ToString(CultureInfo.InvariantCulture));

    private static void CounterSeconds(StringBuilder text, string name, string help, ulong microseconds) =>
        Add(text, name + "_total", help, "counter", (microseconds / 1e6).ToString("F6", CultureInfo.InvariantCulture));

    private static void Add(StringBuilder text, string name, string help, string type, string value) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n')
            .Append(name).Append(' ').Append(value).Append('\n');
}
