<?php

namespace MediaWiki\Extension\BounceSidecar;

use ManualLogEntry;
use Wikimedia\Timestamp\ConvertibleTimestamp;

/**
 * The restricted log: what we did to users, and what we did last.
 *
 * Knows MediaWiki's log tables. Finds users by id, because names change, in a table that no import writes to:
 * what is read here decides. Does not know what follows from an entry.
 */
class ActLog {

	private const TYPE = 'emailbounce';
	private const FIELD = 'emailbounce_user';

	/** @var \Wikimedia\Rdbms\ILoadBalancer */
	private $loadBalancer;
	/** @var \MediaWiki\User\User|\User */
	private $performer;

	/**
	 * @param \Wikimedia\Rdbms\ILoadBalancer $loadBalancer
	 * @param \MediaWiki\User\User|\User $performer
	 */
	public function __construct( $loadBalancer, $performer ) {
		$this->loadBalancer = $loadBalancer;
		$this->performer = $performer;
	}

	/**
	 * @param string $act
	 * @param \MediaWiki\User\User|\User $user
	 * @param string $reason cut to 500 characters by MediaWiki's CommentStore
	 * @param array $parameters
	 * @return int the entry's id
	 */
	public function write( string $act, $user, string $reason, array $parameters = [] ): int {
		$entry = new ManualLogEntry( self::TYPE, $act );
		$entry->setPerformer( $this->performer );
		$entry->setTarget( $user->getUserPage() );
		$entry->setComment( $reason );
		$entry->setParameters( $parameters );
		$entry->setRelations( [ self::FIELD => [ (string)$user->getId() ] ] );
		return $entry->insert();
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param string ...$acts
	 * @return array|null the newest entry of these: act, time (TS_MW) and parameters
	 */
	public function last( $user, string ...$acts ): ?array {
		// For update, so that it is not read as of before we had to wait for another request on this user.
		$row = $this->loadBalancer->getConnection( DB_PRIMARY )->newSelectQueryBuilder()
			->select( [ 'log_action', 'log_timestamp', 'log_params' ] )
			->from( 'log_search' )
			->join( 'logging', null, 'log_id = ls_log_id' )
			->where( [
				'ls_field' => self::FIELD,
				'ls_value' => (string)$user->getId(),
				'log_type' => self::TYPE,
				'log_action' => $acts,
			] )
			->orderBy( 'ls_log_id', 'DESC' )
			->limit( 1 )
			->forUpdate()
			->caller( __METHOD__ )
			->fetchRow();
		return $row ? [
			'act' => $row->log_action,
			'time' => ConvertibleTimestamp::convert( TS_MW, $row->log_timestamp ),
			'parameters' => unserialize( $row->log_params, [ 'allowed_classes' => false ] ),
		] : null;
	}
}
