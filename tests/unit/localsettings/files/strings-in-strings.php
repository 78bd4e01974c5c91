<?php # known in the end: wgC wgE
$wgA = "{$wgB["x"]} }"; $wgC = "a{b$ c}$"; $wgD = `echo x`; $wgE = 'ok';
