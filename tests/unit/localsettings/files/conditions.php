<?php # known in the end: wgD wgH wgK wgB
$wgA = 1; { $wgA = 2; } if ( $wgA == 2 ) { $wgA = 3; } $wgB = 1; if ( false ) $wgB = 2; else $wgB = 3;
if ( $wgA ): $wgC = 1; elseif ( $wgB ): $wgC = 2; else: $wgC = 3; endif; $wgD = 'after';
foreach ( [ 1, 2 ] as $wgE ): $wgF = 1; endforeach; while ( false ) { $wgG = 1; } $wgH = 'end';
switch ( $wgA ) { case 3: $wgI = 1; break; default: $wgI = 2; } do $wgJ = 1; while ( false ); $wgK = 'last';
try { $wgL = 1; } catch ( Exception $e ) { $wgL = 2; } finally { $wgM = 3; } $wgB = 'known again';
