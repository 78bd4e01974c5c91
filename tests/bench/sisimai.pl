# Sisimai (Debian's libsisimai-perl) as a contender. Speaks the protocol that stopwatch.py describes.
use strict;
use warnings;
use Sisimai;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

$| = 1;
binmode STDIN;
local $SIG{__WARN__} = sub { };    # it warns of undefined values on some mails

my $read = Sisimai->can('rise') || Sisimai->can('make');    # the name that version 5 gave to make

sub number { my $line = <STDIN>; return defined $line ? int $line : undef }

my @mails;
for ( 1 .. number() ) {
    my $length = number();
    my $got = read STDIN, my ($raw), $length;
    die "a mail of $length octets is missing\n" unless defined $got && $got == $length;
    push @mails, $raw;
}

sub once {
    my ( $wall, $cpu ) = ( clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_PROCESS_CPUTIME_ID) );
    my $recognised = 0;
    for my $raw (@mails) {
        my $found = eval { Sisimai->$read( \$raw ) };
        $recognised++ if $found && @$found;
    }
    return (
        clock_gettime(CLOCK_MONOTONIC) - $wall,
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu,
        $recognised
    );
}

once();    # what is loaded at first use is start-up
print 'Sisimai ', Sisimai->version, "\n";
while ( defined( my $repeats = number() ) ) {
    my ( $seconds, $cpu, $recognised ) = ( 0, 0, 0 );
    for ( 1 .. $repeats ) {
        my @pass = once();
        $seconds += $pass[0];
        $cpu += $pass[1];
        $recognised = $pass[2];
    }
    printf qq({"seconds": %.9f, "cpu": %.9f, "recognised": %d}\n), $seconds, $cpu, $recognised;
}
