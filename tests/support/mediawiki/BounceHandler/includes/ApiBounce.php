<?php

namespace StandIn;

use ApiBase;
use ApiMain;
use JobQueueGroup;
use JobSpecification;
use RuntimeException;
use Wikimedia\IPUtils;
use WikiMap;

/**
 * Takes a bounce and leaves it to a job: who may, and whether its return path is believed.
 *
 * Held to tests/contract/test_gate_contract.py, which the real extension has passed, too.
 */
class ApiBounce extends ApiBase {

	/** @var JobQueueGroup */
	private $jobs;

	public function __construct( ApiMain $main, $name, JobQueueGroup $jobs ) {
		parent::__construct( $main, $name );
		$this->jobs = $jobs;
	}

	public function execute() {
		if ( !IPUtils::isInRanges( $this->getRequest()->getIP(), $this->getConfig()->get( 'BounceHandlerInternalIPs' ) ) ) {
			$this->dieWithError( 'badaccess-group0', 'invalid-ip' );
		}
		$mail = $this->extractRequestParams()['email'];
		$user = $this->believed( $mail );
		if ( $user ) {
			$given = [ 'user' => $user, 'permanent' => self::isPermanent( $mail ) ];
			$this->jobs->push( new JobSpecification( 'standInBounce', $given ) );
		}
		$this->getResult()->addValue( null, $this->getModuleName(), [ 'submitted' => $user ? 'job' : 'failure' ] );
	}

	/**
	 * The user id of a return path that was signed with our secret and lately; 0 for any other.
	 *
	 * @param string $mail
	 * @return int
	 */
	private function believed( $mail ) {
		$header = preg_split( '/(\r?\n){2}/', $mail )[0];
		$shape = '/^To: (([^-\r\n]*)-([^-\r\n]*)-([0-9a-z]+)-([0-9a-z]+))-([^-@\r\n]+)@/m';
		if ( !preg_match( $shape, $header, $found ) ) {
			return 0;
		}
		[ , $signed, , $wiki, $user, $time, $key ] = $found;
		$config = $this->getConfig();
		$hash = hash_hmac( $config->get( 'VERPalgorithm' ), $signed, $config->get( 'VERPsecret' ), true );
		$age = time() - (int)base_convert( $time, 36, 10 );
		if ( base64_encode( substr( $hash, 0, 12 ) ) !== $key || $age >= $config->get( 'VERPAcceptTime' ) ) {
			return 0;
		}
		if ( strtr( $wiki, '.', '-' ) !== WikiMap::getCurrentWikiId() ) {
			throw new RuntimeException( 'The user is looked up in a database that is not there' );
		}
		return (int)base_convert( $user, 36, 10 );
	}

	/**
	 * Whether a part of the report has a status of class 5.
	 *
	 * @param string $mail
	 * @return bool
	 */
	private static function isPermanent( $mail ) {
		$report = '/Content-Type: multipart\/report;\s*report-type=delivery-status;\s*boundary="([^"]+)"/';
		if ( !preg_match( $report, $mail, $found ) ) {
			return false;
		}
		foreach ( explode( "--$found[1]", $mail ) as $part ) {
			if ( preg_match( '/^\s*Content-Type: message\/delivery-status\r?\n.*^Status: 5\.\d+\.\d+/ms', $part ) ) {
				return true;
			}
		}
		return false;
	}

	public function mustBePosted() {
		return true;
	}

	public function isWriteMode() {
		return true;
	}

	public function isInternal() {
		return true;
	}

	public function getAllowedParams() {
		return [ 'email' => [ self::PARAM_TYPE => 'string', self::PARAM_REQUIRED => true ] ];
	}
}
