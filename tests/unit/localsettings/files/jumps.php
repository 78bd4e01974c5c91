<?php # known in the end:
$wgA = ''; again: $wgA .= 'x'; $wgB = 1; if ( strlen( $wgA ) < 3 ) { goto again; } try { throw new Exception; }
catch ( Exception $wgB ) { $wgB = 2; } $wgC = 1; if ( true ) { unset( $wgC ); } $vD = [ [ 2, 1 ] ]; sort( ...$vD ); $wgE['x']['y'] = 1;
