# Talks to the service as whatever user runs this, without any code of Lodge: ask.pl SOCKET QUESTION…
use strict;
use Socket;

my ($path, @questions) = @ARGV;
sub open_socket {
    socket(my $s, AF_UNIX, 5, 0) or die "socket: $!\n";
    connect($s, pack_sockaddr_un($path)) or return;
    return $s;
}
sub message { my ($type, $body, $tail) = @_; $tail //= ''; return 'LODG' . pack('vvVVQ<', 1, $type, 24 + length($body) + length($tail), 0, 9) . $body . $tail; }
sub ask {
    my ($s, $packet) = @_;
    local $SIG{PIPE} = 'IGNORE';
    defined(send($s, $packet, 0)) or return '';
    my $answer = '';
    recv($s, $answer, 65536, 0);
    return $answer;
}

my @told;
if ($questions[0] eq 'crowd') {
    $| = 1;
    my @crowd = map { open_socket() } 1 .. 300;
    print 'open ', scalar(@crowd), "\n";
    sleep 60;
}
my $s = open_socket();
if (!$s) { print "refused\n"; exit; }
for my $question (@questions) {
    my $answer;
    if ($question eq 'page') {
        $answer = ask($s, message(18, pack('Q<VV', 0, 1, 0)));
        my ($count) = unpack('x24V', $answer);
        push @told, sprintf('guests %d of uid %d', $count, unpack('x48x12V', $answer));
    } elsif ($question eq 'status') {
        $answer = ask($s, message(16, ''));
        if ($answer eq '') { push @told, 'closed'; last; }
        push @told, sprintf('alive %d own %d', unpack('x48V', $answer), unpack('x144V', $answer));
    } elsif ($question eq 'shutdown') {
        $answer = ask($s, message(23, ''));
        push @told, sprintf('error %d', unpack('x24V', $answer));
    } elsif ($question eq 'register') {
        my $program = '/bin/forged';
        send($s, message(1, pack('CCvVvvV', 1, 1, 0, 1, length($program), 0, 0), $program), 0);
        push @told, 'sent';
    }
}
print join('; ', @told), "\n";
