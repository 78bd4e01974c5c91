<?php # known in the end: wgI
$wgA = &$wgB; $wgA = 1; $wgB = 2; $wgC = [ 1, 2 ]; foreach ( $wgC as &$wgD ) {} $wgD = 'changes wgC'; $wgE = 1;
$vF = [ &$wgE ]; $vF[0] = 2; [ 'x' => &$wgG ] = $vH; $wgG = 3; $vH = [ 'x' => 4 ]; $wgI = 'i';
$vJ = function () use ( &$wgK ) { return $wgK; }; $wgK = 5;
