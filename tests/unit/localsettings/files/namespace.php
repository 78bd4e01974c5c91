<?php # known in the end:
namespace Mine; use function strlen; declare( ticks=1 ); const X = 5; $wgA = 'ok'; \strlen( $wgA );
$wgB = X;
