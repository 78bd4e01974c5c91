<?php # known in the end: wgA wgB vC wgD
$wgA = [ 'a', "b" => 1, 5 => 'x', 'y', '7' => 'z', true => 't', '08' => 8, ];
$wgB = array( 'k' => array( 1, array() ) ); $wgA[] = 'more'; $wgA['b'] = 2; $vC['z']['q'][] = 1; $vC[] = null;
$wgD = $wgA; $wgD[] = 'only here'; $wgE = [ 1 ] + [ 2, 3 ];
