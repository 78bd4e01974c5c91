<?php # known in the end: wgN
list( $wgA, $wgB ) = [ 1, 2 ]; [ $wgC, [ $wgD ] ] = [ 3, [ 4 ] ]; $wgE = 5; $wgF = &$wgE; $wgF = 6;
preg_match( '/x/', 'x', $wgG ); $wgH = [ 3, 1 ]; sort( $wgH ); $wgI = 1; $wgI++; --$wgI; settype( $wgI, 'string' );
$n = 'wgJ'; $$n = 1; foreach ( [ [ 1, 2 ] ] as [ $wgK, $wgL ] ) {} $wgM = 'm'; unset( $wgM ); $wgN = 'n';
