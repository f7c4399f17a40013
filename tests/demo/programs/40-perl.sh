# perl: hashes, sorting, regular expressions, pack, fork and pipes
perl -e '
    my %n; my $s = 42;
    for (1 .. 60000) { $s = ($s * 1103515245 + 12345) % 2147483648; $n{$s % 997}++; }
    my @top = (sort { $n{$b} <=> $n{$a} || $a <=> $b } keys %n)[0 .. 4]; print "top @top\n";
    my $t = join " ", map { "w$_" } 1 .. 5000; my $c = () = $t =~ /w(\d*7)\b/g; print "matches $c\n";
    print unpack("H*", pack("NvCd>", 1, 2, 3, 1.5)), "\n";
    pipe(my $r, my $w); if (my $pid = fork) { close $w; my $x = <$r>; waitpid $pid, 0; print "child said $x status ", $? >> 8, "\n" } else { print $w "hello $$" =~ s/\d+/N/r; exit 3 }
    local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print "caught $@";
    printf "%.10f %s\n", atan2(1, 1) * 4, sprintf("%b", 1 << 20);'
