<?php

namespace MediaWiki\Extension\BounceSidecar;

use ApiBase;
use ManualLogEntry;
use RuntimeException;
use Wikimedia\ParamValidator\ParamValidator;
use Wikimedia\Timestamp\ConvertibleTimestamp;

/**
 * action=emailbounce: what the sidecar may do to a user's address, under the condition that it still holds.
 *
 * Knows the condition, the act and the log. Does not know why mail bounced, and gives no address away.
 * Compares and acts in one transaction, so that a request may be repeated and may race with others.
 */
class ApiEmailBounce extends ApiBase {

	/** Seconds by which the sidecar's clock may be ahead of ours. */
	private const CLOCK_SKEW = 3600;

	/** The operations, each with the method that carries it out and returns its part of the answer. */
	private const OPERATIONS = [
		'unconfirm' => 'unconfirm',
	];

	/** @var \Wikimedia\Rdbms\ILoadBalancer */
	private $loadBalancer;
	/** @var \MediaWiki\User\UserFactory */
	private $userFactory;

	/**
	 * @param \MediaWiki\Api\ApiMain|\ApiMain $main
	 * @param string $name
	 * @param \Wikimedia\Rdbms\ILoadBalancer $loadBalancer
	 * @param \MediaWiki\User\UserFactory $userFactory
	 */
	public function __construct( $main, $name, $loadBalancer, $userFactory ) {
		parent::__construct( $main, $name );
		$this->loadBalancer = $loadBalancer;
		$this->userFactory = $userFactory;
	}

	public function execute() {
		$this->checkMayAct();
		$params = $this->extractRequestParams();
		// SELECT ... FOR UPDATE from the primary database. By id, because names change.
		$user = $this->userFactory->newFromId( $params['userid'] )->getInstanceForUpdate();
		if ( !$user ) {
			$this->dieWithError( [ 'apierror-nosuchuserid', $params['userid'] ], 'nosuchuser' );
		}
		$operation = self::OPERATIONS[$params['op']];
		$answer = [ 'op' => $params['op'], 'userid' => $user->getId() ] + $this->$operation( $user, $params );
		$this->getResult()->addValue( null, $this->getModuleName(), $answer );
	}

	private function checkMayAct(): void {
		$this->checkUserRightsAny( 'emailbounce' );
		// Core asks for blocks where pages are edited, not here.
		$block = $this->getUser()->getBlock();
		if ( $block && $block->isSitewide() ) {
			$this->dieBlocked( $block );
		}
		if ( $this->getUser()->pingLimiter( 'emailbounce' ) ) {
			$this->dieWithError( 'apierror-ratelimited' );
		}
	}

	/**
	 * Makes the address count as not confirmed if it has been confirmed without interruption since before
	 * the given time. The address itself is kept.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param array $params
	 * @return array
	 */
	private function unconfirm( $user, array $params ): array {
		$before = $this->confirmedBefore( $params );
		if ( !$this->getConfig()->get( 'EmailAuthentication' ) ) {
			$this->dieWithError(
				'apierror-emailbounce-emailauthenticationdisabled', 'emailauthenticationdisabled'
			);
		}
		$confirmed = $user->getEmailAuthenticationTimestamp();
		if ( $confirmed === null || $user->getEmail() === '' ) {
			return [ 'result' => 'already' ];
		}
		$since = ConvertibleTimestamp::convert( TS_ISO_8601, $confirmed );
		if ( ConvertibleTimestamp::convert( TS_MW, $confirmed ) >= $before ) {
			return [ 'result' => 'changed', 'confirmed' => $since ];
		}
		$this->takeConfirmation( $user );
		return [
			'result' => 'unconfirmed',
			'confirmed' => $since,
			'fingerprint' => $this->fingerprint( $user->getEmail() ),
			'logid' => $this->log( 'unconfirm', $user, $params['reason'], [ '4::confirmed' => $since ] ),
		];
	}

	/**
	 * @param array $params
	 * @return string in the format TS_MW
	 */
	private function confirmedBefore( array $params ): string {
		$this->requireAtLeastOneParameter( $params, 'confirmedbefore' );
		// MediaWiki reads "" and "0" as the present, before which every confirmation was made.
		$given = $this->getMain()->getVal( 'confirmedbefore' );
		if ( !$given ) {
			$this->dieWithError( [ 'apierror-badtimestamp', 'confirmedbefore', $given ], 'badtimestamp' );
		}
		// A host whose clock runs ahead would take away confirmations of today.
		if ( $params['confirmedbefore'] > ConvertibleTimestamp::convert( TS_MW, time() + self::CLOCK_SKEW ) ) {
			$this->dieWithError( [ 'apierror-badtimestamp', 'confirmedbefore', $given ], 'badtimestamp' );
		}
		return $params['confirmedbefore'];
	}

	/**
	 * User::invalidateEmail() would erase the address too.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 */
	private function takeConfirmation( $user ): void {
		$user->setEmailAuthenticationTimestamp( null );
		$user->saveSettings();
		// saveSettings() returns without a word if the database has become read-only meanwhile, and we must not
		// claim what was not done. One row by its key, in the same transaction; not through User, whose hooks
		// (CentralAuth's) may answer from a cache. The exception rolls everything back, and we are asked again.
		$stored = $this->loadBalancer->getConnection( DB_PRIMARY )->newSelectQueryBuilder()
			->select( 'user_email_authenticated' )
			->from( 'user' )
			->where( [ 'user_id' => $user->getId() ] )
			->caller( __METHOD__ )
			->fetchField();
		if ( $stored !== null ) {
			throw new RuntimeException( 'The user was not saved' );
		}
	}

	/**
	 * @param string $address
	 * @return string tells a later request whether the address is still the same, and nothing to anybody else
	 */
	private function fingerprint( string $address ): string {
		$key = hash_hmac( 'sha256', 'BounceSidecar address fingerprint', $this->getConfig()->get( 'SecretKey' ) );
		return substr( hash_hmac( 'sha256', $address, $key ), 0, 32 );
	}

	/**
	 * @param string $action
	 * @param \MediaWiki\User\User|\User $user
	 * @param string $comment cut to 500 characters by MediaWiki's CommentStore
	 * @param array $parameters
	 * @return int the entry's id
	 */
	private function log( string $action, $user, string $comment, array $parameters ): int {
		$entry = new ManualLogEntry( 'emailbounce', $action );
		$entry->setPerformer( $this->getUser() );
		$entry->setTarget( $user->getUserPage() );
		$entry->setComment( $comment );
		$entry->setParameters( $parameters );
		return $entry->insert();
	}

	public function mustBePosted() {
		return true;
	}

	public function isWriteMode() {
		return true;
	}

	public function needsToken() {
		return 'csrf';
	}

	public function getAllowedParams() {
		return [
			'op' => [
				ParamValidator::PARAM_TYPE => array_keys( self::OPERATIONS ),
				ParamValidator::PARAM_REQUIRED => true,
				ApiBase::PARAM_HELP_MSG_PER_VALUE => [],
			],
			'userid' => [
				ParamValidator::PARAM_TYPE => 'integer',
				ParamValidator::PARAM_REQUIRED => true,
			],
			'confirmedbefore' => [
				ParamValidator::PARAM_TYPE => 'timestamp',
			],
			'reason' => [
				ParamValidator::PARAM_TYPE => 'string',
				ParamValidator::PARAM_DEFAULT => '',
			],
		];
	}

	protected function getExamplesMessages() {
		return [
			'action=emailbounce&op=unconfirm&userid=5&confirmedbefore=2026-11-01T00:00:00Z&token=123ABC'
				=> 'apihelp-emailbounce-example-unconfirm',
		];
	}
}
