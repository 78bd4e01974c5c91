<?php

namespace MediaWiki\Extension\BounceSidecar;

use ApiBase;
use Wikimedia\ParamValidator\ParamValidator;
use Wikimedia\Timestamp\ConvertibleTimestamp;

/**
 * action=emailbounce: how the sidecar asks for an act, and who may.
 *
 * Knows rights, parameters and errors. Does not know when an act is done (Acts), and gives no address away.
 */
class ApiEmailBounce extends ApiBase {

	/** The operations, which are methods of Acts, and what each must be given. */
	private const OPERATIONS = [
		'warn' => [ 'confirmedbefore' ],
		'unconfirm' => [ 'confirmedbefore' ],
		'restore' => [ 'confirmed', 'fingerprint' ],
		'mistyped' => [ 'sent' ],
	];

	private const TIMES = [ 'confirmedbefore', 'confirmed', 'sent' ];

	/** Seconds by which the sidecar's clock may be ahead of ours. */
	private const CLOCK_SKEW = 3600;

	/** @var \Wikimedia\Rdbms\ILoadBalancer */
	private $loadBalancer;
	/** @var \MediaWiki\User\UserFactory */
	private $userFactory;
	/** @var Acts */
	private $acts;

	/**
	 * @param \MediaWiki\Api\ApiMain|\ApiMain $main
	 * @param string $name
	 * @param \Wikimedia\Rdbms\ILoadBalancer $loadBalancer
	 * @param \MediaWiki\User\UserFactory $userFactory
	 * @param \MediaWiki\User\UserGroupManager $groupManager
	 * @param \MediaWiki\User\UserOptionsLookup|\MediaWiki\User\Options\UserOptionsLookup $options
	 * @param \MediaWiki\Page\WikiPageFactory $pages
	 */
	public function __construct( $main, $name, $loadBalancer, $userFactory, $groupManager, $options, $pages ) {
		parent::__construct( $main, $name );
		$this->loadBalancer = $loadBalancer;
		$this->userFactory = $userFactory;
		$this->acts = new Acts(
			new Groups( $groupManager ),
			new ActLog( $loadBalancer, $this->getUser() ),
			new Announcer( $loadBalancer, $options, new TalkPage( $pages, $this->getUser() ) )
		);
	}

	public function execute() {
		$this->checkMayAct();
		$params = $this->extractRequestParams();
		$this->checkComplete( $params );
		if ( !$this->getConfig()->get( 'EmailAuthentication' ) ) {
			$this->dieWithError(
				'apierror-emailbounce-emailauthenticationdisabled', 'emailauthenticationdisabled'
			);
		}
		// SELECT ... FOR UPDATE from the primary database. By id, because names change.
		$user = $this->userFactory->newFromId( $params['userid'] )->getInstanceForUpdate();
		if ( !$user ) {
			$this->dieWithError( [ 'apierror-nosuchuserid', $params['userid'] ], 'nosuchuser' );
		}
		$confirmation = new Confirmation( $user, $this->loadBalancer, $this->getConfig() );
		$operation = $params['op'];
		try {
			$answer = $this->acts->$operation( $user, $confirmation, $params );
		} catch ( CannotTell $e ) {
			$this->dieWithError( [ 'apierror-emailbounce-cannottell', $user->getId() ], 'cannottell' );
		}
		$said = [ 'op' => $operation, 'userid' => $user->getId() ] + $answer;
		$this->getResult()->addValue( null, $this->getModuleName(), $said );
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

	private function checkComplete( array $params ): void {
		// A host whose clock runs ahead would take away confirmations of today.
		$latest = ConvertibleTimestamp::convert( TS_MW, time() + self::CLOCK_SKEW );
		foreach ( self::OPERATIONS[$params['op']] as $name ) {
			$this->requireAtLeastOneParameter( $params, $name );
			// MediaWiki reads "" and "0" as the present, before which every confirmation was made.
			$given = $this->getMain()->getVal( $name );
			if ( in_array( $name, self::TIMES, true ) && ( !$given || $params[$name] > $latest ) ) {
				$this->dieWithError( [ 'apierror-badtimestamp', $name, $given ], 'badtimestamp' );
			}
		}
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
		$time = [ ParamValidator::PARAM_TYPE => 'timestamp' ];
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
			'confirmedbefore' => $time,
			// Global groups have no list here.
			'protect' => [
				ParamValidator::PARAM_TYPE => 'string',
				ParamValidator::PARAM_ISMULTI => true,
			],
			'announce' => [
				ParamValidator::PARAM_TYPE => 'boolean',
				ParamValidator::PARAM_DEFAULT => false,
			],
			'confirmed' => $time,
			'fingerprint' => [ ParamValidator::PARAM_TYPE => 'string' ],
			'sent' => $time,
			'reason' => [
				ParamValidator::PARAM_TYPE => 'string',
				ParamValidator::PARAM_DEFAULT => '',
			],
		];
	}

	protected function getExamplesMessages() {
		$request = 'action=emailbounce&userid=5&token=123ABC';
		return [
			"$request&op=unconfirm&confirmedbefore=2026-11-01T00:00:00Z&protect=sysop|bot&announce=1"
				=> 'apihelp-emailbounce-example-unconfirm',
			"$request&op=mistyped&sent=2026-11-01T00:00:00Z" => 'apihelp-emailbounce-example-mistyped',
		];
	}
}
