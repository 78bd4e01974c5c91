<?php # known in the end: wgA wgB wgD vE vF vG
$GLOBALS['wgA'] = $wgB = 'x'; $GLOBALS["wgC"]['k'] = 1; ${'wgD'} = 4; $GLOBALS['wgA'] .= 'y';
$vE ??= 5; $vE ??= 6; $vF = 1; $vF += 2; $vF *= 5; $vG = null; $vG ??= 'set';
